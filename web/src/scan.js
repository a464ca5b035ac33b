// Scan a QR code: <button data-scan="ID-OF-INPUT">. By the browser's own detector where it has one, else by jsQR.
import { enhance, words } from "./enhance.js";

async function reader() {
  if ("BarcodeDetector" in window && (await window.BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue ?? "";
  }
  const { default: jsQR } = await import("jsqr");
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    pen.drawImage(video, 0, 0);
    const image = pen.getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(image.data, image.width, image.height)?.data ?? "";
  };
}

export function scanning(button) {
  if (!navigator.mediaDevices?.getUserMedia) {
    button.hidden = true;
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    const input = document.getElementById(button.dataset.scan);
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    } catch {
      input.placeholder = button.dataset.denied ?? "";
      input.focus();
      return;
    }
    const dialog = Object.assign(document.createElement("dialog"), { className: "dialog scan" });
    dialog.setAttribute("aria-label", button.textContent.trim());
    const video = Object.assign(document.createElement("video"), { playsInline: true, muted: true, srcObject: stream });
    const close = Object.assign(document.createElement("button"), { type: "button", className: "secondary wide", textContent: words("wordClose") || "×" });
    dialog.append(video, close);
    document.body.append(dialog);
    enhance(dialog);
    let running = true;
    const stop = () => {
      running = false;
      for (const track of stream.getTracks()) track.stop();
      dialog.remove();
      button.focus();
    };
    close.addEventListener("click", stop);
    dialog.addEventListener("close", stop);
    dialog.showModal();
    await video.play();
    const read = await reader();
    const look = async () => {
      if (!running) return;
      const found = video.videoWidth ? await read(video).catch(() => "") : "";
      if (found) {
        stop();
        input.value = found;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        if (button.dataset.scanSubmit !== undefined) input.form.requestSubmit();
      } else setTimeout(look, 120);
    };
    look();
  });
}
