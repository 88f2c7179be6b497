"""Parts of a ReportView, a file each: from an audit, without a word of HTML or Markdown."""
