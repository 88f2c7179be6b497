// Browsers start no worker from a file: address, so the search would be dead where the pages are opened from a folder.
// There a hidden frame runs the worker's script. The theme's own stand-in for this is fetched from the network.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.loaded = new Promise((resolve) => {
        frame.addEventListener("load", () => {
          const inside = frame.contentWindow;
          // In a worker this sends to the page; in a window it would send to itself.
          inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          const script = inside.document.createElement("script");
          script.src = url;
          script.addEventListener("load", () => resolve(inside));
          inside.document.head.append(script);
        });
      });
      document.body.append(frame);
    }

    async postMessage(data) {
      const inside = await this.loaded;
      inside.dispatchEvent(new inside.MessageEvent("message", { data: inside.structuredClone(data) }));
    }
  };
}
