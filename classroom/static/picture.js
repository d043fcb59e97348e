// One picture of a game, drawn sharply on a canvas.

import { draw } from "./canvas.js";

const SIDE = 480; // of a picture, in the units of its operations

export class Picture {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const scale = Math.min(Math.max(window.devicePixelRatio, 1), 2);
    canvas.width = canvas.height = SIDE * scale;
    this.context = canvas.getContext("2d");
    this.context.scale(scale, scale);
  }

  /** @param {any[]} operations what the server sends as a frame */
  draw(operations) {
    draw(this.context, operations);
  }
}
