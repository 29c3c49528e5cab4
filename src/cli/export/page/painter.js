// SPDX-License-Identifier: MIT
//
// Paints the boxes of the graph on a canvas, in the colours of the style sheet.
'use strict';

const ROW_HEIGHT = 20;
const TEXT_SIZE = 12;
const PADDING = 4;
const HUES = 7;
const SHADES = 3;

/// Returns the hue of a library. The largest libraries have one each; the others share the last.
function hueOf(libraries, library) {
  const rank = libraries.indexOf(library);
  return rank < 0 || rank >= HUES - 1 ? HUES - 1 : rank;
}

class Painter {
  constructor(canvas, libraries) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.hues = new Map(libraries.map(library => [library, hueOf(libraries, library)]));
    this.readColours();
  }

  readColours() {
    const named = name => colourOf(`var(--${name})`);
    this.ink = named('frame-ink');
    this.paper = named('paper');
    this.plain = named('frame-plain');
    this.outline = named('focus');
    this.hover = named('ink');
    this.match = named('match');
    this.rise = named('rise');
    this.fall = named('fall');
    this.hatch = this.makeHatch(named('hatch'));
    this.shades = [];
    for (let hue = 0; hue < HUES; ++hue) {
      for (let shade = 0; shade < SHADES; ++shade) {
        this.shades.push(colourOf(`color-mix(in srgb, var(--library-${hue}), var(--frame-ink) ${shade * 5}%)`));
      }
    }
    this.font = `${TEXT_SIZE}px ${getComputedStyle(this.canvas).fontFamily}`;
    this.context.font = this.font;
    this.letter = this.context.measureText('M').width;
  }

  /// A pattern of diagonal lines marks decreases, so that they can be told without colour.
  makeHatch(colour) {
    const tile = element('canvas', {width: 6, height: 6});
    const context = tile.getContext('2d');
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const start of [-6, 0, 6]) {
      context.moveTo(start - 1, 7);
      context.lineTo(start + 7, -1);
    }
    context.stroke();
    return this.context.createPattern(tile, 'repeat');
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.font = this.font;
    this.context.textBaseline = 'middle';
  }

  fillOf(node, view) {
    if (node.depth < view.zoomed.depth || !node.parent || view.matches && !view.matches.has(node)) {
      return this.plain;
    }
    if (view.signed) {
      return node.value < 0 ? this.fall : node.value > 0 ? this.rise : this.plain;
    }
    return this.shades[this.hues.get(node.place.library) * SHADES + node.place.key % SHADES];
  }

  /// Paints the visible rows, from `view.top` on. Returns the number of boxes painted.
  paint(rows, view) {
    const {width, height} = view;
    this.context.fillStyle = this.paper;
    this.context.fillRect(0, 0, width, height);
    const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT));
    const last = Math.min(rows.length, Math.ceil((view.top + height) / ROW_HEIGHT));
    let painted = 0;
    for (let depth = first; depth < last; ++depth) {
      for (const box of rows[depth]) {
        this.paintBox(box, depth * ROW_HEIGHT - view.top, view);
        painted += 1;
      }
    }
    this.paintFrame(rows, view.hovered, this.hover, 1, view);
    if (view.showsFocus) {
      this.paintFrame(rows, view.focused, this.outline, 3, view);
    }
    return painted;
  }

  paintBox({node, left, right}, top, view) {
    const context = this.context;
    const width = right - left;
    const gap = width > 3 ? 1 : 0;
    context.fillStyle = this.fillOf(node, view);
    context.fillRect(left, top, width - gap, ROW_HEIGHT - 1);
    if (view.signed && node.value < 0 && width > 3) {
      context.fillStyle = this.hatch;
      context.fillRect(left, top, width - gap, ROW_HEIGHT - 1);
    }
    if (view.matches?.has(node)) {
      context.fillStyle = this.match;
      context.fillRect(left, top + ROW_HEIGHT - 4, width - gap, 3);
    }
    const text = this.textIn(view.labelOf(node), width - gap - 2 * PADDING);
    if (text) {
      context.fillStyle = this.ink;
      context.fillText(text, left + PADDING, top + ROW_HEIGHT / 2, width - gap - 2 * PADDING);
    }
  }

  /// Returns as much of the text as fits, or nothing when too little would remain.
  textIn(text, width) {
    const letters = Math.floor(width / this.letter);
    if (text.length <= letters) {
      return text;
    }
    return letters < 3 ? '' : text.slice(0, letters - 1) + '…';
  }

  paintFrame(rows, node, colour, thickness, view) {
    const box = node && boxOf(rows, node);
    if (box) {
      this.context.strokeStyle = colour;
      this.context.lineWidth = thickness;
      this.context.strokeRect(box.left + thickness / 2, node.depth * ROW_HEIGHT - view.top + thickness / 2,
                              Math.max(1, box.right - box.left - thickness), ROW_HEIGHT - thickness);
    }
  }
}
