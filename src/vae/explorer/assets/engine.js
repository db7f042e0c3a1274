// Runs the programs that vae.explorer.programs traces from a model. A program is a list of steps over arrays of
// float32; vae.explorer.steps describes them.
//
//     const engine = new Engine(description, bytes, "float32");
//     const { pixels } = engine.run("decode", { z, label: 3 }); // z: K numbers; label: of conditional models only
//
// The results are new arrays, which later runs leave alone.
const Engine = (() => {
  "use strict";

  class Engine {
    // description: Programs.description(); bytes: an ArrayBuffer with Programs.constants(precision).
    constructor(description, bytes, precision = "float32") {
      if (!["float32", "float16"].includes(precision)) throw new RangeError(`unknown precision: ${precision}`);
      let start = 0;
      this.arrays = description.arrays.map(({ size, values, kernel }) => {
        if (values) return Float32Array.from(values);
        if (kernel === undefined) return new Float32Array(size);
        const isHalf = kernel && precision === "float16";
        const part = bytes.slice(start, (start += size * (isHalf ? 2 : 4)));
        return isHalf ? Float32Array.from(new Uint16Array(part), fromHalf) : new Float32Array(part);
      });
      if (start !== bytes.byteLength) throw new RangeError(`${bytes.byteLength} bytes of constants, not ${start}`);
      this.programs = {};
      for (const [name, { inputs, outputs, steps }] of Object.entries(description.programs)) {
        this.programs[name] = { inputs, outputs, steps: steps.map(step => this.prepared(step)) };
      }
    }

    // Run a program by its name, and return its outputs. Inputs are arrays, or a number for a single value.
    run(name, values) {
      const program = this.programs[name];
      if (!program) throw new RangeError(`no program ${name}, only ${Object.keys(this.programs).join(", ")}`);
      for (const [input, number] of Object.entries(program.inputs)) {
        const array = this.arrays[number];
        const value = typeof values[input] === "number" ? [values[input]] : values[input];
        if (value?.length !== array.length) {
          throw new RangeError(`${name} needs ${array.length} values of ${input}, not ${value?.length}`);
        }
        array.set(value);
      }
      for (const step of program.steps) step();
      const outputs = Object.entries(program.outputs);
      return Object.fromEntries(outputs.map(([key, number]) => [key, this.arrays[number].slice()]));
    }

    // Return a function that runs the step.
    prepared(step) {
      const [to, ...from] = [step.to, ...step.from].map(([number]) => this.arrays[number]);
      if (step.op === "Conv") {
        const [image, kernel] = from;
        const blocks = inBlocks(kernel, step.filters);
        return () => convolve(to, image, blocks, step);
      }
      if (step.op === "Gather") return () => gather(to, ...from);
      const loop = new Loop(step, [to, ...from]);
      return () => {
        if (step.fill !== undefined) to.fill(step.fill);
        loop.run();
      };
    }
  }

  // An element-wise step or a fold: nested loops over a shape, in which each operand has a start and strides.
  class Loop {
    constructor({ op, shape, to, from, fold }, arrays) {
      this.apply = FUNCTIONS[op];
      if (!this.apply) throw new RangeError(`unknown step: ${op}`);
      const operands = [to, ...from];
      this.arrays = arrays;
      this.shape = shape.length ? shape : [1];
      this.starts = operands.map(([, start]) => start);
      this.strides = this.shape.map((_, axis) => operands.map(([, , strides]) => strides[axis] ?? 0));
      this.inner = fold ? fold1 : [each1, each2, each3][from.length - 1];
    }

    run() {
      this.walk(0, ...this.starts);
    }

    walk(axis, to, a, b, c) {
      const size = this.shape[axis];
      const strides = this.strides[axis];
      if (axis === this.shape.length - 1) {
        this.inner(this.apply, size, this.arrays, [to, a, b, c], strides);
        return;
      }
      const [toStep, aStep, bStep, cStep] = strides;
      for (let n = 0; n < size; n++, to += toStep, a += aStep, b += bStep, c += cStep) this.walk(axis + 1, to, a, b, c);
    }
  }

  function each1(apply, size, [to, a], [o, i], [oStep, iStep]) {
    for (let n = 0; n < size; n++, o += oStep, i += iStep) to[o] = apply(a[i]);
  }

  function each2(apply, size, [to, a, b], [o, i, j], [oStep, iStep, jStep]) {
    for (let n = 0; n < size; n++, o += oStep, i += iStep, j += jStep) to[o] = apply(a[i], b[j]);
  }

  function each3(apply, size, [to, a, b, c], [o, i, j, k], [oStep, iStep, jStep, kStep]) {
    for (let n = 0; n < size; n++, o += oStep, i += iStep, j += jStep, k += kStep) to[o] = apply(a[i], b[j], c[k]);
  }

  // The target is the first operand. Along an axis that is reduced, the result is kept in double precision.
  function fold1(apply, size, [to, a], [o, i], [oStep, iStep]) {
    if (oStep !== 0) {
      for (let n = 0; n < size; n++, o += oStep, i += iStep) to[o] = apply(to[o], a[i]);
      return;
    }
    let result = to[o];
    for (let n = 0; n < size; n++, i += iStep) result = apply(result, a[i]);
    to[o] = result;
  }

  // The functions of element-wise steps, by TensorFlow's names. Booleans are 0 and 1.
  const FUNCTIONS = {
    Abs: Math.abs,
    AddV2: (a, b) => a + b,
    BiasAdd: (a, b) => a + b,
    Exp: Math.exp,
    Expm1: Math.expm1,
    Greater: (a, b) => (a > b ? 1 : 0),
    Identity: a => a,
    IsFinite: a => (Number.isFinite(a) ? 1 : 0),
    Less: (a, b) => (a < b ? 1 : 0),
    Log: Math.log,
    LogicalOr: (a, b) => Math.max(a, b),
    Maximum: (a, b) => Math.max(a, b),
    Minimum: (a, b) => Math.min(a, b),
    Mul: (a, b) => a * b,
    Neg: a => -a,
    RealDiv: (a, b) => a / b,
    Relu: a => Math.max(a, 0),
    SelectV2: (condition, a, b) => (condition ? a : b),
    Sigmoid: a => 1 / (1 + Math.exp(-a)),
    Sign: Math.sign,
    Softplus: a => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
    Square: a => a * a,
    Sub: (a, b) => a - b,
    Tanh: Math.tanh,
  };

  // Return a kernel (taps, filters) as blocks of eight filters, (blocks, taps, 8), the last one filled up with zeros.
  function inBlocks(kernel, filters) {
    const taps = kernel.length / filters;
    const blocks = new Float32Array(Math.ceil(filters / 8) * 8 * taps);
    for (let filter = 0; filter < filters; filter++) {
      const start = (filter >> 3) * 8 * taps + (filter & 7);
      for (let tap = 0; tap < taps; tap++) blocks[start + 8 * tap] = kernel[tap * filters + filter];
    }
    return blocks;
  }

  // Convolve an image (any height, imageWidth, channels) to (height, width, filters), without padding. The values of
  // each window that are not zero are listed first: after a ReLU, or in black parts, this saves half the work or more.
  function convolve(to, image, blocks, { height, width, filters, imageWidth, channels, rows, columns, down, right }) {
    const rowSize = columns * channels;
    const taps = rows * rowSize;
    const values = new Float32Array(taps);
    const places = new Int32Array(taps);
    let target = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let count = 0;
        for (let row = 0; row < rows; row++) {
          const start = ((y * down + row) * imageWidth + x * right) * channels;
          for (let i = 0; i < rowSize; i++) {
            const value = image[start + i];
            if (value !== 0) {
              values[count] = value;
              places[count++] = 8 * (row * rowSize + i);
            }
          }
        }
        for (let filter = 0; filter < filters; filter += 8) {
          addUp(to, target + filter, Math.min(8, filters - filter), blocks, filter * taps, values, places, count);
        }
        target += filters;
      }
    }
  }

  // Write the sums of products for up to eight filters. Sums in variables are faster than in an array.
  function addUp(to, target, filters, blocks, start, values, places, count) {
    let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const value = values[i];
      const k = start + places[i];
      a += value * blocks[k];
      b += value * blocks[k + 1];
      c += value * blocks[k + 2];
      d += value * blocks[k + 3];
      e += value * blocks[k + 4];
      f += value * blocks[k + 5];
      g += value * blocks[k + 6];
      h += value * blocks[k + 7];
    }
    const sums = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < filters; i++) to[target + i] = sums[i];
  }

  // Copy the row of a table that the index chooses.
  function gather(to, table, [index]) {
    const rows = table.length / to.length;
    if (!Number.isInteger(index) || index < 0 || index >= rows) throw new RangeError(`no row ${index} of ${rows}`);
    to.set(table.subarray(index * to.length, (index + 1) * to.length));
  }

  // Return the number that the 16 bits of a half-precision number stand for.
  function fromHalf(bits) {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
  }

  return Engine;
})();
