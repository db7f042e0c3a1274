// The map: a dot for each image, and marks above the dots. It can be moved and zoomed.
"use strict";

class ImageMap {
  // dots: how many; color(i): of a dot; point(i) is called when one is pointed at, take(i, letter) when it is chosen.
  constructor(root, { dots, color, shown, point, take }) {
    Object.assign(this, { root, dots, color, shown, point, take, marks: [], pointed: null });
    [this.base, this.above] = [0, 1].map(() => root.appendChild(element("canvas", { "aria-hidden": "true" })));
    this.reset();
    new ResizeObserver(() => this.draw()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    root.addEventListener("pointerdown", event => (this.start = { x: event.clientX, y: event.clientY, moved: false }));
    root.addEventListener("pointermove", event => this.move(event));
    root.addEventListener("pointerup", event => this.release(event));
    root.addEventListener("pointerleave", () => (this.start = null));
    root.addEventListener("wheel", event => this.wheel(event), { passive: false });
    root.addEventListener("keydown", event => this.key(event));
  }

  // Show other places: at(i) is [x, y], or null for an image without a place. square: whether both axes have one scale.
  setPlaces(at, square) {
    this.places = Array.from({ length: this.dots }, (_, i) => at(i));
    this.square = square;
    const known = this.places.filter(Boolean);
    const ends = axis => known.reduce(([low, high], p) => [Math.min(low, p[axis]), Math.max(high, p[axis])], [Infinity, -Infinity]);
    this.ends = [ends(0), ends(1)];
    this.reset();
    this.draw();
  }

  reset() {
    this.view = { zoom: 1, x: 0, y: 0 };
  }

  // Return the place of [x, y] on the canvas in CSS pixels.
  toCanvas([x, y]) {
    const { width, height, scale, middle } = this.frame;
    const { zoom, x: dx, y: dy } = this.view;
    return [
      width / 2 + zoom * (scale[0] * (x - middle[0])) + dx,
      height / 2 - zoom * (scale[1] * (y - middle[1])) + dy,
    ];
  }

  draw() {
    if (!this.places || !this.root.clientWidth) return;
    const [width, height] = [this.root.clientWidth, this.root.clientHeight];
    const pad = 16;
    const spans = this.ends.map(([low, high]) => high - low || 1);
    let scale = [(width - 2 * pad) / spans[0], (height - 2 * pad) / spans[1]];
    if (this.square) scale = [Math.min(...scale), Math.min(...scale)];
    this.frame = { width, height, scale, middle: this.ends.map(([low, high]) => (low + high) / 2) };
    for (const canvas of [this.base, this.above]) {
      canvas.width = width * devicePixelRatio;
      canvas.height = height * devicePixelRatio;
    }
    const context = this.base.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    context.globalAlpha = 0.75;
    this.radius = Math.min(5, Math.max(1.5, 120 / Math.sqrt(this.dots))) * Math.min(2.5, Math.sqrt(this.view.zoom));
    this.canvasPlaces = this.places.map((place, i) => (place && this.shown(i) ? this.toCanvas(place) : null));
    this.canvasPlaces.forEach((place, i) => {
      if (!place) return;
      context.fillStyle = this.color(i);
      context.beginPath();
      context.arc(...place, this.radius, 0, 2 * Math.PI);
      context.fill();
    });
    this.drawMarks();
  }

  // Show marks, {letter, place}, above the dots.
  setMarks(marks) {
    this.marks = marks;
    this.drawMarks();
  }

  drawMarks() {
    if (!this.frame) return;
    const context = this.above.getContext("2d");
    const style = getComputedStyle(this.root);
    const [ink, paper] = [style.color, style.getPropertyValue("--paper")];
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.frame.width, this.frame.height);
    const ring = ([x, y], radius) => {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
    };
    if (this.pointed !== null && this.canvasPlaces[this.pointed]) {
      ring(this.canvasPlaces[this.pointed], this.radius + 4);
      Object.assign(context, { lineWidth: 2.5, strokeStyle: ink });
      context.stroke();
    }
    Object.assign(context, { font: "bold 13px system-ui, sans-serif", textAlign: "center", textBaseline: "middle", lineWidth: 2 });
    for (const { letter, place } of this.marks) {
      const at = this.toCanvas(place);
      ring(at, 10);
      Object.assign(context, { fillStyle: ink, strokeStyle: paper });
      context.fill();
      context.stroke();
      context.fillStyle = paper;
      context.fillText(letter, at[0], at[1] + 1);
    }
  }

  // Return the dot with the lowest cost, a function of its distance across and down; Infinity leaves it out.
  best(cost) {
    let [best, lowest] = [null, Infinity];
    this.canvasPlaces.forEach((place, i) => {
      const found = place ? cost(...place, i) : Infinity;
      if (found < lowest) [best, lowest] = [i, found];
    });
    return best;
  }

  pointAt(i) {
    if (i === this.pointed || i === null) return;
    this.pointed = i;
    this.drawMarks();
    this.point(i);
  }

  // Return the dot at an event, if there is one within 16 pixels.
  hit(event) {
    const { left, top } = this.base.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    return this.best((a, b) => ((a - x) ** 2 + (b - y) ** 2 < 256 ? (a - x) ** 2 + (b - y) ** 2 : Infinity));
  }

  move(event) {
    const { start } = this;
    if (start && event.pointerType !== "touch") {
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      if (start.moved || Math.hypot(dx, dy) > 4) {
        this.view.x += dx;
        this.view.y += dy;
        Object.assign(start, { x: event.clientX, y: event.clientY, moved: true });
        this.drawSoon();
        return;
      }
    }
    this.pointAt(this.hit(event));
  }

  release(event) {
    const i = this.start && !this.start.moved ? this.hit(event) : null;
    this.start = null;
    if (i === null) return;
    this.pointAt(i);
    this.take(i, event.shiftKey ? "B" : "A");
  }

  wheel(event) {
    if (event.ctrlKey) return; // the browser's own zoom
    event.preventDefault();
    const { left, top } = this.base.getBoundingClientRect();
    this.zoom(2 ** (-event.deltaY / 300), event.clientX - left, event.clientY - top);
  }

  // Zoom around a point of the canvas.
  zoom(factor, x = this.frame.width / 2, y = this.frame.height / 2) {
    const { view, frame } = this;
    const zoom = Math.min(60, Math.max(0.5, view.zoom * factor));
    view.x = x - frame.width / 2 - ((x - frame.width / 2 - view.x) * zoom) / view.zoom;
    view.y = y - frame.height / 2 - ((y - frame.height / 2 - view.y) * zoom) / view.zoom;
    view.zoom = zoom;
    this.drawSoon();
  }

  drawSoon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  key(event) {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (direction) this.step(direction);
    else if (event.key === "Enter" && this.pointed !== null) this.take(this.pointed, event.shiftKey ? "B" : "A");
    else if (event.key === "+" || event.key === "=") this.zoom(1.4);
    else if (event.key === "-") this.zoom(1 / 1.4);
    else if (event.key === "0") {
      this.reset();
      this.draw();
    } else return;
    event.preventDefault();
  }

  // Point at the next image in a direction: near, and not far aside.
  step([right, down]) {
    const { width, height } = this.frame;
    const from = (this.pointed !== null && this.canvasPlaces[this.pointed]) || [width / 2, height / 2];
    this.pointAt(
      this.best((x, y, i) => {
        const along = (x - from[0]) * right + (y - from[1]) * down;
        const aside = Math.abs((x - from[0]) * down) + Math.abs((y - from[1]) * right);
        return i !== this.pointed && along > 0 && aside <= along ? along + 2 * aside : Infinity;
      }),
    );
  }
}
