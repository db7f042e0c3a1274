// The canvas to draw on, and what the model sees of it.
"use strict";

const FINE = 8; // an image is drawn so many times finer, and then averaged

class Sketch {
  // width() and color() describe the pen; changed() is called whenever something is drawn or cleared.
  constructor(canvas, shape, { centred, binarizes, width, color, changed }) {
    Object.assign(this, { canvas, shape, centred, binarizes, width, color, changed });
    this.unit = Math.ceil(280 / Math.max(shape[0], shape[1]));
    Object.assign(canvas, { height: shape[0] * this.unit, width: shape[1] * this.unit });
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    Object.assign(this.context, { lineCap: "round", lineJoin: "round" });
    this.pen = [canvas.width / 2, canvas.height / 2];
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.drawing = true;
      this.pen = this.at(event);
      this.lineTo(this.pen);
    });
    canvas.addEventListener("pointermove", event => {
      if (this.drawing) for (const part of event.getCoalescedEvents?.() ?? [event]) this.lineTo(this.at(part));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => (this.drawing = false));
    }
    canvas.addEventListener("keydown", event => this.key(event));
  }

  at({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.canvas;
    return [((clientX - box.left) / box.width) * width, ((clientY - box.top) / box.height) * height];
  }

  lineTo(to) {
    Object.assign(this.context, { lineWidth: (this.width() / 280) * this.canvas.width, strokeStyle: this.color() });
    this.context.beginPath();
    this.context.moveTo(...this.pen);
    this.context.lineTo(...to);
    this.context.stroke();
    this.pen = to;
    this.changed();
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const ends = [this.canvas.width, this.canvas.height];
    const to = this.pen.map((value, i) => Math.min(ends[i], Math.max(0, value + step[i] * this.unit)));
    if (event.shiftKey) this.lineTo(to);
    else this.pen = to;
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.changed();
  }

  // Return the box around what is drawn and its centre of mass, or null if there is nothing.
  extent() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    let [left, right, top, bottom, mass, x, y] = [width, -1, height, -1, 0, 0, 0];
    for (let i = 3; i < data.length; i += 4) {
      if (!data[i]) continue;
      const [column, row] = [((i - 3) / 4) % width, Math.floor((i - 3) / 4 / width)];
      [left, right, top, bottom] = [Math.min(left, column), Math.max(right, column), Math.min(top, row), Math.max(bottom, row)];
      mass += data[i];
      x += data[i] * (column + 0.5);
      y += data[i] * (row + 0.5);
    }
    return mass ? { size: Math.max(right - left, bottom - top) + 1, x: x / mass, y: y / mass } : null;
  }

  // Return the image that the model sees, (height, width, channels) in [0, 1], or null if nothing is drawn.
  pixels() {
    const extent = this.extent();
    if (!extent) return null;
    const [height, width, channels] = this.shape;
    const fine = new OffscreenCanvas(width * FINE, height * FINE).getContext("2d");
    fine.fillRect(0, 0, width * FINE, height * FINE);
    if (this.centred) {
      // As MNIST's images were made: 20 of 28 pixels high or wide, the centre of mass in the middle.
      const scale = ((20 / 28) * width * FINE) / extent.size;
      fine.setTransform(scale, 0, 0, scale, (width * FINE) / 2 - scale * extent.x, (height * FINE) / 2 - scale * extent.y);
    } else fine.scale(FINE / this.unit, FINE / this.unit);
    fine.drawImage(this.canvas, 0, 0);
    const { data } = fine.getImageData(0, 0, width * FINE, height * FINE);
    const pixels = new Float32Array(height * width * channels);
    for (let i = 0; i < data.length / 4; i++) {
      const place = Math.floor(Math.floor(i / (width * FINE)) / FINE) * width + Math.floor((i % (width * FINE)) / FINE);
      for (let c = 0; c < channels; c++) pixels[place * channels + c] += data[4 * i + c] / (255 * FINE * FINE);
    }
    return pixels.map(value => (this.binarizes ? (value > 0.5 ? 1 : 0) : Math.min(1, value)));
  }
}
