// SPDX-License-Identifier: MIT
//
// A column chart with labelled axes. The pointer or the arrow keys select one column to describe.
'use strict';

const AXIS_LEFT = 56;
const AXIS_BOTTOM = 22;
const AXIS_TOP = 8;

/// Returns the height of a value as a share of the chart, for a scale that ends at `most`.
const SCALES = {
  linear: (value, most) => value / most,
  // For counts from 1 to billions; 1 is a tenth of a decade above 0.
  log: (value, most) => Math.sign(value) * (Math.log10(Math.abs(value)) + 0.1) / (Math.log10(most) + 0.1) || 0,
};

/// Returns about `wanted` round numbers from 0 to `most`.
function roundSteps(most, wanted) {
  const raw = most / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(factor => factor * power >= raw) * power;
  return Array.from({length: Math.floor(most / step) + 1}, (_, index) => index * step);
}

function powersOfTen(most) {
  const decades = Math.floor(Math.log10(most));
  const step = Math.ceil((decades + 1) / 4);
  return Array.from({length: Math.floor(decades / step) + 1}, (_, index) => 10 ** (index * step));
}

class ColumnChart {
  /// options: name, scale (linear or log), height, most (the least end of the scale), format (of the axis).
  constructor(host, options) {
    this.options = {scale: 'linear', height: 150, most: 0, format: formatCount, ...options};
    this.columns = [];
    this.chosen = -1;
    this.svg = svgElement('svg', {'aria-hidden': 'true'});
    this.told = element('p', {class: 'told quiet', 'aria-live': 'polite'});
    this.plot = element('div', {
      class: 'plot', tabindex: 0, role: 'application', 'aria-roledescription': 'chart', 'aria-label': options.name,
    }, this.svg);
    host.append(element('h3', {}, options.name), this.plot, this.told);
    this.redraw = beforeNextFrame(() => this.draw());
    new ResizeObserver(this.redraw).observe(this.plot);
    this.plot.addEventListener('keydown', event => this.press(event));
    this.plot.addEventListener('focus', () => this.choose(Math.max(0, this.chosen)));
    this.plot.addEventListener('pointermove', event => this.choose(this.columnAt(event)));
  }

  /// columns: {value, text, tick, kind}. `summary` is shown until a column is selected.
  show(columns, summary) {
    this.columns = columns;
    this.chosen = -1;
    this.told.textContent = summary;
    this.plot.hidden = columns.length === 0;
    this.draw();
  }

  columnAt(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left - AXIS_LEFT;
    return Math.max(0, Math.min(this.columns.length - 1, Math.floor(x / this.step)));
  }

  press(event) {
    const last = this.columns.length - 1;
    const targets = {ArrowLeft: this.chosen - 1, ArrowRight: this.chosen + 1, Home: 0, End: last};
    if (event.key in targets) {
      this.choose(Math.max(0, Math.min(last, targets[event.key])));
      event.preventDefault();
    }
  }

  choose(index) {
    if (index < this.columns.length && index !== this.chosen) {
      this.chosen = index;
      this.told.textContent = this.columns[index].text;
      this.draw();
    }
  }

  draw() {
    const width = this.plot.clientWidth;
    const {height} = this.options;
    if (this.columns.length === 0 || width <= AXIS_LEFT) {
      return;
    }
    this.svg.setAttribute('width', width);
    this.svg.setAttribute('height', height);
    this.svg.replaceChildren();
    this.step = Math.min(48, (width - AXIS_LEFT) / this.columns.length);
    const values = this.columns.map(column => column.value);
    this.most = Math.max(this.options.most, 1, ...values.map(Math.abs));
    const least = Math.min(0, ...values) < 0 ? -1 : 0;
    // Shares of the height, from `least` at the bottom to 1 at the top.
    this.y = share => AXIS_TOP + (1 - share) / (1 - least) * (height - AXIS_BOTTOM - AXIS_TOP);
    this.drawAxis(least, width);
    this.columns.forEach((column, index) => this.drawColumn(column, index));
    this.drawTicks(width, height);
  }

  drawAxis(least, width) {
    const steps = this.options.scale === 'log' ? powersOfTen(this.most) : roundSteps(this.most, 4);
    const both = least < 0 ? [...steps.map(value => -value), ...steps] : steps;
    for (const value of new Set(both)) {
      const y = this.y(SCALES[this.options.scale](value, this.most));
      this.svg.append(
        svgElement('line', {x1: AXIS_LEFT, x2: width, y1: y, y2: y, class: 'grid'}),
        svgElement('text', {x: AXIS_LEFT - 6, y: y + 4, 'text-anchor': 'end'},
                   withoutZeros(this.options.format(value))));
    }
  }

  drawColumn(column, index) {
    const x = AXIS_LEFT + index * this.step;
    const gap = this.step > 4 ? Math.min(3, this.step / 5) : 0.5;
    const zero = this.y(0);
    const end = this.y(SCALES[this.options.scale](column.value, this.most));
    if (index === this.chosen) {
      this.svg.append(svgElement('rect', {
        x, y: AXIS_TOP, width: this.step, height: this.options.height - AXIS_TOP - AXIS_BOTTOM, class: 'chosen'}));
    }
    if (column.value !== 0) {
      this.svg.append(svgElement('rect', {
        x: x + gap / 2, width: this.step - gap, y: Math.min(zero, end), height: Math.max(1, Math.abs(end - zero)),
        class: `column ${column.kind}`}));
    }
  }

  /// Draws labels under the columns that have one, as many as fit.
  drawTicks(width, height) {
    const letter = 7;
    let free = 0;
    this.columns.forEach(({tick}, index) => {
      const half = tick.length * letter / 2;
      const middle = Math.min(AXIS_LEFT + (index + 0.5) * this.step, width - half);
      if (tick && middle - half >= free) {
        this.svg.append(svgElement('text', {x: middle, y: height - 6, 'text-anchor': 'middle'}, tick));
        free = middle + half + letter;
      }
    });
  }
}
