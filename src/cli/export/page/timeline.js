// SPDX-License-Identifier: MIT
//
// The timeline: memory above, requests and misses per second below. The pointer or the arrow keys select a moment to
// describe. Where the profile has earlier dumps (moments), a span between two of them can be chosen.
'use strict';

const MEMORY_HEIGHT = 150;
const RATE_HEIGHT = 90;

/// Returns the points with their rates since the point before.
function withRates(timeline) {
  return timeline.map(([at, live, rss, requests, misses], index) => {
    const before = timeline[index - 1] ?? [0, 0, 0, requests, misses];
    const seconds = (at - before[0]) / 1e9;
    const rate = (now, then) => (seconds > 0 ? Math.max(0, (now - then) / seconds) : 0);
    return {at, live, rss, requests: rate(requests, before[3]), misses: rate(misses, before[4])};
  });
}

class Timeline {
  /// Calls onSpan(from, to) with two indices of moments; -1 is the start, and the number of moments is the end.
  constructor(host, profile, span, onSpan) {
    this.points = withRates(profile.timeline);
    this.profile = profile;
    this.end = Math.max(1, this.points.at(-1).at);
    this.chosen = -1;
    this.onSpan = onSpan;
    this.span = span;
    this.memory = svgElement('svg', {'aria-hidden': 'true'});
    this.rates = svgElement('svg', {'aria-hidden': 'true'});
    this.told = element('p', {class: 'told quiet', 'aria-live': 'polite'}, this.summary());
    this.plot = element('div', {
      class: 'plot', tabindex: 0, role: 'application', 'aria-roledescription': 'chart', 'aria-label': 'Timeline',
    }, this.memory, this.rates);
    host.append(this.plot, this.legend(), this.told);
    this.redraw = beforeNextFrame(() => this.draw());
    new ResizeObserver(this.redraw).observe(this.plot);
    this.plot.addEventListener('keydown', event => this.press(event));
    this.plot.addEventListener('focus', () => this.choose(Math.max(0, this.chosen)));
    this.plot.addEventListener('pointermove', event => this.choose(this.pointAt(event)));
    if (profile.moments?.length) {
      host.append(this.spanControls());
    }
    this.draw();
  }

  summary() {
    const most = this.points.reduce((a, b) => (b.live > a.live ? b : a));
    return `The most live bytes: ${formatBytes(most.live)}, after ${formatTime(most.at)}.`;
  }

  legend() {
    const items = [['live', 'live bytes'], ['rss', 'resident bytes (RSS)'], ['requests', 'requests per second'],
                   ['misses', 'misses per second']];
    return element('ul', {class: 'legend', 'aria-label': 'Lines'}, ...items.map(
      ([kind, text]) => element('li', {}, element('span', {class: `swatch line-${kind}`}), text)));
  }

  pointAt(event) {
    const {left, width} = this.plot.getBoundingClientRect();
    const at = (event.clientX - left - AXIS_LEFT) / (width - AXIS_LEFT) * this.end;
    const next = this.points.findIndex(point => point.at >= at);
    return next < 0 ? this.points.length - 1 : next;
  }

  press(event) {
    const last = this.points.length - 1;
    const page = Math.ceil(this.points.length / 20);
    const targets = {ArrowLeft: this.chosen - 1, ArrowRight: this.chosen + 1, PageUp: this.chosen - page,
                     PageDown: this.chosen + page, Home: 0, End: last};
    if (event.key in targets) {
      this.choose(Math.max(0, Math.min(last, targets[event.key])));
      event.preventDefault();
    }
  }

  choose(index) {
    if (index !== this.chosen) {
      this.chosen = index;
      const {at, live, rss, requests, misses} = this.points[index];
      this.told.textContent = `After ${formatTime(at)}: ${formatBytes(live)} live, ` +
        `${rss ? `${formatBytes(rss)} resident, ` : ''}${formatCount(requests)} requests and ` +
        `${formatCount(misses)} misses per second.`;
      this.redraw();
    }
  }

  draw() {
    const width = this.plot.clientWidth;
    if (width <= AXIS_LEFT) {
      return;
    }
    this.x = at => AXIS_LEFT + at / this.end * (width - AXIS_LEFT - 1);
    this.drawLines(this.memory, MEMORY_HEIGHT, width, ['rss', 'live'], formatBytes);
    this.drawLines(this.rates, RATE_HEIGHT, width, ['requests', 'misses'], formatCount);
    this.drawMarks(width);
  }

  drawLines(svg, height, width, kinds, format) {
    svg.setAttribute('width', width);
    svg.setAttribute('height', height);
    svg.replaceChildren();
    const most = Math.max(1, ...kinds.map(kind => this.points.reduce((sum, point) => Math.max(sum, point[kind]), 0)));
    const y = value => AXIS_TOP + (1 - value / most) * (height - AXIS_BOTTOM - AXIS_TOP);
    // Round numbers of bytes are multiples of a power of 1,024.
    const unit = format === formatBytes ? 1024 ** Math.floor(Math.log(most) / Math.log(1024)) : 1;
    for (const value of roundSteps(most / unit, 3).map(step => step * unit)) {
      svg.append(svgElement('line', {x1: AXIS_LEFT, x2: width, y1: y(value), y2: y(value), class: 'grid'}),
                 svgElement('text', {x: AXIS_LEFT - 6, y: y(value) + 4, 'text-anchor': 'end'},
                            withoutZeros(format(value))));
    }
    for (const kind of kinds) {
      const path = this.points.map(point => `${this.x(point.at).toFixed(1)},${y(point[kind]).toFixed(1)}`).join('L');
      if (kind === 'live') {
        svg.append(svgElement('path', {d: `M${AXIS_LEFT},${y(0)}L${path}L${this.x(this.end)},${y(0)}Z`,
                                       class: 'area-live'}));
      }
      svg.append(svgElement('path', {d: `M${path}`, class: `line line-${kind}`}));
    }
  }

  drawMarks(width) {
    const bottom = MEMORY_HEIGHT - AXIS_BOTTOM;
    const mark = (at, kind) => this.memory.append(svgElement('line', {
      x1: this.x(at), x2: this.x(at), y1: AXIS_TOP, y2: bottom, class: `mark ${kind}`}));
    for (const moment of this.profile.moments ?? []) {
      mark(moment.at_ns, 'mark-moment');
    }
    if (this.profile.has_peak) {
      const x = this.x(this.profile.peak_ns);
      mark(this.profile.peak_ns, 'mark-peak');
      this.memory.append(svgElement('text', {x: Math.min(x + 4, width - 32), y: bottom - 6}, 'peak'));
    }
    if (this.chosen >= 0) {
      mark(this.points[this.chosen].at, 'mark-chosen');
    }
    for (const [share, anchor] of [[0, 'start'], [0.5, 'middle'], [1, 'end']]) {
      this.memory.append(svgElement('text', {x: this.x(share * this.end), y: MEMORY_HEIGHT - 6, 'text-anchor': anchor},
                                    share === 0 ? '0 s' : formatTime(Math.round(share * this.end))));
    }
  }

  /// Two lists of the moments. The span between them is shown as a difference.
  spanControls() {
    const {moments} = this.profile;
    const name = index => (index < 0 ? 'the start' : index === moments.length ? 'the last dump'
      : `${formatTime(moments[index].at_ns)} (dump ${moments[index].sequence})`);
    const list = (id, first, last, chosen) => {
      const options = [];
      for (let index = first; index <= last; ++index) {
        options.push(element('option', {value: index, selected: index === chosen}, name(index)));
      }
      return element('select', {id}, ...options);
    };
    const from = list('from', -1, moments.length - 1, this.span.from);
    const to = list('to', 0, moments.length, this.span.to);
    const change = () => this.onSpan(Number(from.value), Math.max(Number(to.value), Number(from.value) + 1));
    from.addEventListener('change', change);
    to.addEventListener('change', change);
    return element('p', {class: 'bar', id: 'span'}, element('label', {}, 'Show what changed from ', from),
                   element('label', {}, ' to ', to));
  }
}
