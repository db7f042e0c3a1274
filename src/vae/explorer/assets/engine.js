"use strict";

// Runs the programs that vae.explorer.programs traces from a model. A program is a list of steps over arrays of
// float32. Booleans are 0 and 1.
//
//     const engine = new Engine(description, bytes, "float32");
//     const { pixels } = engine.run("decode", { z, label: 3 }); // z: Float32Array; label: of conditional models only
//
// The results are new arrays.
class Engine {
  // description: Programs.description(); bytes: an ArrayBuffer of Programs.constants(precision).
  constructor(description, bytes, precision = "float32") {
    if (!["float32", "float16"].includes(precision)) throw new RangeError(`unknown precision: ${precision}`);
    let start = 0;
    this.arrays = description.arrays.map(({ size, values, kernel }) => {
      if (values) return Float32Array.from(values);
      if (kernel === undefined) return new Float32Array(size);
      const isHalf = kernel && precision === "float16";
      const part = bytes.slice(start, (start += size * (isHalf ? 2 : 4)));
      return isHalf ? Float32Array.from(new Uint16Array(part), Engine.fromHalf) : new Float32Array(part);
    });
    if (start !== bytes.byteLength) throw new RangeError(`${bytes.byteLength} bytes of constants, not ${start}`);
    this.packed = new Map(); // kernels as the convolution reads them, by the number of their array
    this.programs = description.programs;
    for (const { steps } of Object.values(this.programs)) for (const step of steps) this.prepare(step);
  }

  // Run a program. Inputs are arrays, or numbers for a single value.
  run(name, inputs) {
    const program = this.programs[name];
    if (!program) throw new RangeError(`no program ${name}, only ${Object.keys(this.programs).join(", ")}`);
    for (const [input, number] of Object.entries(program.inputs)) {
      const array = this.arrays[number];
      const value = typeof inputs[input] === "number" ? [inputs[input]] : inputs[input];
      if (value?.length !== array.length) {
        throw new RangeError(`${name} needs ${array.length} values of ${input}, not ${value?.length}`);
      }
      array.set(value);
    }
    for (const step of program.steps) step.run();
    return Object.fromEntries(Object.entries(program.outputs).map(([key, number]) => [key, this.arrays[number].slice()]));
  }

  // Give a step a function that runs it.
  prepare(step) {
    const [to, ...from] = [step.to, ...step.from].map(([number]) => this.arrays[number]);
    if (step.op === "Conv") {
      const taps = this.packedKernel(step.from[1][0], step.sizes[2]);
      step.run = () => Engine.convolve(to, from[0], taps, step.sizes);
    } else if (step.op === "Gather") {
      step.run = () => Engine.gather(to, ...from);
    } else {
      const operands = [step.to, ...step.from];
      while (operands.length < 4) operands.push([0, 0, step.shape.map(() => 0)]);
      const loop = new Loop(step.op, step.shape, [to, ...from], operands, step.fold);
      step.run = () => {
        if (step.fill !== undefined) to.fill(step.fill);
        loop.walk(0, ...loop.starts);
      };
    }
  }

  // A kernel (taps, filters) as blocks of eight filters, (blocks, taps, 8), the last one filled up with zeros.
  packedKernel(number, filters) {
    if (!this.packed.has(number)) {
      const kernel = this.arrays[number];
      const taps = kernel.length / filters;
      const packed = new Float32Array(Math.ceil(filters / 8) * 8 * taps);
      for (let filter = 0; filter < filters; filter++) {
        const start = (filter >> 3) * 8 * taps + (filter & 7);
        for (let tap = 0; tap < taps; tap++) packed[start + 8 * tap] = kernel[tap * filters + filter];
      }
      this.packed.set(number, packed);
    }
    return this.packed.get(number);
  }

  // Convolve an image (height, width, channels) without padding. For each window, the values that are not zero are
  // listed first: after a ReLU, or where an image is black, this saves most of the work.
  static convolve(to, image, kernel, [height, width, filters, imageWidth, channels, rows, columns, down, right]) {
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
          Engine.window(to, target + filter, Math.min(8, filters - filter), kernel, filter * taps, values, places, count);
        }
        target += filters;
      }
    }
  }

  // The sums of products for up to eight filters at one place.
  static window(to, target, filters, kernel, start, values, places, count) {
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i];
      const k = start + places[i];
      a += value * kernel[k];
      b += value * kernel[k + 1];
      c += value * kernel[k + 2];
      d += value * kernel[k + 3];
      e += value * kernel[k + 4];
      f += value * kernel[k + 5];
      g += value * kernel[k + 6];
      h += value * kernel[k + 7];
    }
    const sums = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < filters; i++) to[target + i] = sums[i];
  }

  static gather(to, table, [index]) {
    const rows = table.length / to.length;
    if (!Number.isInteger(index) || index < 0 || index >= rows) throw new RangeError(`no row ${index} of ${rows}`);
    to.set(table.subarray(index * to.length, (index + 1) * to.length));
  }

  static fromHalf(bits) {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
  }
}

// An element-wise step: nested loops over a shape, in which each operand has a start and strides.
class Loop {
  static functions = {
    Abs: Math.abs,
    AddV2: (a, b) => a + b,
    BiasAdd: (a, b) => a + b,
    Exp: Math.exp,
    Expm1: Math.expm1,
    Greater: (a, b) => +(a > b),
    GreaterEqual: (a, b) => +(a >= b),
    Identity: a => a,
    IsFinite: a => +Number.isFinite(a),
    Less: (a, b) => +(a < b),
    LessEqual: (a, b) => +(a <= b),
    Log: Math.log,
    Log1p: Math.log1p,
    LogicalAnd: (a, b) => a * b,
    LogicalNot: a => 1 - a,
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

  constructor(name, shape, arrays, operands, fold) {
    this.apply = Loop.functions[name];
    if (!this.apply) throw new RangeError(`unknown step: ${name}`);
    this.shape = shape.length ? shape : [1];
    this.arrays = [...arrays, ...new Array(4 - arrays.length).fill(new Float32Array(1))];
    this.starts = operands.map(([, start]) => start);
    this.strides = this.shape.map((_, axis) => operands.map(([, , strides]) => strides[axis] ?? 0));
    this.inner = fold ? Loop.fold : Loop.each;
  }

  walk(axis, to, a, b, c) {
    const size = this.shape[axis];
    const [t, i, j, k] = this.strides[axis];
    if (axis === this.shape.length - 1) {
      this.inner(this.apply, size, this.arrays, [to, a, b, c], [t, i, j, k]);
      return;
    }
    for (let n = 0; n < size; n++, to += t, a += i, b += j, c += k) this.walk(axis + 1, to, a, b, c);
  }

  static each(apply, size, [to, a, b, c], [o, i, j, k], [ostep, istep, jstep, kstep]) {
    for (let n = 0; n < size; n++, o += ostep, i += istep, j += jstep, k += kstep) to[o] = apply(a[i], b[j], c[k]);
  }

  static fold(apply, size, [to, a], [o, i], [ostep, istep]) {
    if (ostep === 0) {
      let result = to[o];
      for (let n = 0; n < size; n++, i += istep) result = apply(result, a[i]);
      to[o] = result;
    } else {
      for (let n = 0; n < size; n++, o += ostep, i += istep) to[o] = apply(to[o], a[i]);
    }
  }
}
