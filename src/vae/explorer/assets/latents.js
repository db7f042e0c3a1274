// What the model computes: posteriors, pictures and the terms of the loss.
"use strict";

class Model {
  constructor({ about, engine, noise, zMean, maps }) {
    Object.assign(this, { about, engine, noise, zMean, maps, K: about.latentDim });
  }

  // Only a conditional model has an input for the label.
  given(values, label) {
    return this.about.conditional ? { ...values, label } : values;
  }

  encode(images, label) {
    const { z_mean, z_log_var } = this.engine.run("encode", this.given({ images }, label));
    return { mean: z_mean, logVar: z_log_var, sigma: z_log_var.map(value => Math.exp(value / 2)) };
  }

  decode(z, label) {
    return this.engine.run("decode", this.given({ z }, label)).pixels;
  }

  // Return -log p(x|z) in nats.
  nats(images, z, label) {
    return this.engine.run("reconstruction", this.given({ images, z }, label)).nats[0];
  }

  // Return the two terms of the negative ELBO in nats, averaged over draws of z, as VAE.terms(images, samples=…) does.
  terms(images, posterior, label) {
    const draws = this.noise.length / this.K;
    let [reconstruction, kl] = [0, 0];
    for (let i = 0; i < draws; i++) {
      const z = draw(posterior, this.noise.subarray(i * this.K));
      reconstruction += this.nats(images, z, label) / draws;
      kl += this.engine.run("kl", { z_mean: posterior.mean, z_log_var: posterior.logVar, z }).nats[0] / draws;
    }
    return { reconstruction, kl };
  }

  // Return the test images whose posterior means are nearest to z, the nearest first, among those that are allowed.
  nearest(z, count, allowed = () => true) {
    const { values } = this.zMean;
    const found = [];
    for (let i = 0; i < this.zMean.count; i++) {
      let sum = 0;
      for (let k = 0; k < this.K; k++) sum += (values[i * this.K + k] - z[k]) ** 2;
      const distance = Math.sqrt(sum);
      if ((found.length === count && distance >= found[count - 1].distance) || !allowed(i)) continue;
      const place = found.findIndex(other => distance < other.distance);
      found.splice(place < 0 ? found.length : place, 0, { i, distance });
      found.length = Math.min(found.length, count);
    }
    return found;
  }
}

// Return z = mean + sigma * noise.
function draw({ mean, sigma }, noise) {
  return mean.map((value, k) => value + sigma[k] * noise[k]);
}

// Return the KL of each dimension to N(0, 1), in nats.
function klOfDimensions({ mean, logVar }) {
  return mean.map((value, k) => 0.5 * (value ** 2 + Math.exp(logVar[k]) - 1 - logVar[k]));
}

// Return z + t * (to - from).
function walk(z, from, to, t) {
  return z.map((value, k) => value + t * (to[k] - from[k]));
}

// Return standard normal numbers, by Box and Muller.
function gaussians(count) {
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
  );
}
