// Pictures of images, and rows that show the prior and the posterior of a latent dimension.
"use strict";

const $ = id => document.getElementById(id);

// Return a new element with attributes and children.
function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

// Paint pixels in [0, 1], (height, width, channels), on a canvas of their size.
function paint(canvas, pixels, [height, width, channels]) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const data = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = Math.round(255 * pixels[i * channels + (channels > 1 ? c : 0)]);
    data.data[4 * i + 3] = 255;
  }
  context.putImageData(data, 0, 0);
}

// Return a button with a picture.
function pictureButton(label, onclick, ...below) {
  const button = element("button", { type: "button", class: "picture", "aria-label": label }, element("canvas"), ...below);
  button.addEventListener("click", onclick);
  return button;
}

// A strip of pictures in which decoding one does not keep the others waiting.
class Strip {
  constructor(root) {
    Object.assign(this, { root, run: 0 });
  }

  // Show a button for each item: label(item) names it, pixels(item) are computed one after the other.
  async show(items, { label, pixels, shape, click, below }) {
    const run = ++this.run;
    const buttons = items.map(item => pictureButton(label(item), () => click(item), ...(below ? [below(item)] : [])));
    const focused = [...this.root.children].indexOf(document.activeElement);
    this.root.replaceChildren(...buttons);
    buttons[focused]?.focus({ preventScroll: true });
    for (const [i, button] of buttons.entries()) {
      if (run !== this.run) return;
      paint(button.firstChild, pixels(items[i]), shape);
      await new Promise(resolve => setTimeout(resolve));
    }
  }
}

const signed = (value, digits) => value.toFixed(digits).replace("-", "−");

// The range of a latent dimension, with the prior's middle marked, and the posterior of an image.
class Axis {
  constructor(low, high, priorMean, priorStd) {
    Object.assign(this, { low, high });
    [this.prior, this.posterior, this.mean] = ["prior", "posterior", "mean"].map(name => element("i", { class: name }));
    this.element = element("div", { class: "axis" }, element("div", { class: "marks" }, this.prior, this.posterior, this.mean));
    this.said = element("span", { class: "said number" });
    this.place(this.prior, priorMean - 2 * priorStd, priorMean + 2 * priorStd);
  }

  place(mark, from, to) {
    const share = value => (100 * (Math.min(Math.max(value, this.low), this.high) - this.low)) / (this.high - this.low);
    mark.style.left = `${share(from)}%`;
    if (to !== from) mark.style.width = `${share(to) - share(from)}%`;
  }

  show(mean, sigma) {
    this.place(this.posterior, mean - sigma, mean + sigma);
    this.place(this.mean, mean, mean);
    this.said.textContent = `${signed(mean, 2)} ± ${sigma.toFixed(2)}`;
  }
}
