// SPDX-License-Identifier: MIT
//
// Shows the requests and hit rate of each size class as charts and as a table, and the lifetimes of objects.
'use strict';

/// Objects with a shorter lifetime are temporary: 2^20 ns is about a millisecond.
const TEMPORARY_LOG2 = 20;

/// Returns "64 B" for size 64, and nothing for size 72.
function sizeTick(size) {
  return Number.isInteger(Math.log2(size)) ? withoutZeros(formatBytes(size)) : '';
}

class SizeClasses {
  constructor(host) {
    this.host = host;
    this.requests = new ColumnChart(host, {name: 'Requests by size', scale: 'log'});
    this.rates = new ColumnChart(host, {
      name: 'Hit rate by size', height: 110, most: 100, format: rate => `${rate} %`});
  }

  show(classes) {
    const used = classes.map(entry => ({...entry, gets: entry.hits + entry.misses}));
    const hits = used.reduce((sum, entry) => sum + entry.hits, 0);
    const gets = used.reduce((sum, entry) => sum + entry.gets, 0);
    const share = formatShare(hits, gets);
    const summary = gets === 0 ? 'No requests were counted.'
                               : `${formatCount(gets)} requests${share && `, ${share} hits`}.`;
    const column = (entry, value) => ({
      value, tick: sizeTick(entry.size), kind: 'requests',
      text: `${formatBytes(entry.size)}: ${formatCount(entry.gets)} requests` +
            (entry.gets > 0 ? `, ${formatShare(entry.hits, entry.gets)} hits, ${formatCount(entry.misses)} misses`
                            : ''),
    });
    this.requests.show(used.map(entry => column(entry, entry.gets)), summary);
    this.rates.show(used.map(entry => ({
      ...column(entry, entry.gets > 0 ? 100 * entry.hits / entry.gets : 0), kind: 'rate'})),
                    'A hit was served from the thread’s own stack of free objects.');
    this.host.append(this.table(used));
  }

  table(used) {
    const head = ['Size', 'Requests', 'Hit rate', 'Misses', 'Frees'];
    const rows = used.map(entry => [
      formatBytes(entry.size), formatCount(entry.gets), formatShare(entry.hits, entry.gets), formatCount(entry.misses),
      formatCount(entry.puts)]);
    const cells = (name, texts) => texts.map(text => element(name, {class: 'number'}, text));
    return element('details', {}, element('summary', {}, 'As a table'),
      element('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Size classes as a table'},
        element('table', {},
          element('thead', {}, element('tr', {}, ...cells('th', head))),
          element('tbody', {}, ...rows.map(row => element('tr', {}, ...cells('td', row)))))));
  }
}

/// Returns [[log2 of nanoseconds, objects]] summed over the stacks at and below a node, without gaps.
function sumLifetimes({first: from, last: end, tree}) {
  const {stacks, log2, objects} = tree.stacks.lifetimes;
  const sums = new Map();
  for (let index = 0; index < stacks.length; ++index) {
    if (stacks[index] >= from && stacks[index] < end) {
      sums.set(log2[index], (sums.get(log2[index]) ?? 0) + objects[index]);
    }
  }
  const first = Math.min(...sums.keys());
  const last = Math.max(...sums.keys());
  return sums.size === 0 ? [] : Array.from({length: last - first + 1},
                                           (_, index) => [first + index, sums.get(first + index) ?? 0]);
}

class Lifetimes {
  constructor(host) {
    this.chart = new ColumnChart(host, {name: 'Objects by time from request to free', height: 190});
    host.append(element('p', {class: 'quiet key'}, element('span', {class: 'swatch short'}),
                        'temporary: up to about 1 ms', element('span', {class: 'swatch long'}), 'longer'));
  }

  /// Shows the objects of the stacks at and below a node.
  show(node, signed) {
    const sums = sumLifetimes(node);
    const freed = sums.reduce((sum, [, objects]) => sum + objects, 0);
    const live = node.tree.stacks.sum('live.objects', node.first, node.last);
    this.chart.show(sums.map(([log2, objects]) => ({
      value: objects,
      tick: log2 % 10 === 0 ? formatTime(1000 ** (log2 / 10)).replace(/^1/, '≈ 1') : '',
      kind: log2 < TEMPORARY_LOG2 ? 'short' : 'long',
      text: `${formatTime(2 ** log2)} to ${formatTime(2 ** (log2 + 1))}: ${formatCount(objects, signed)} objects` +
            (signed ? '' : `, ${formatShare(objects, freed)}`),
    })), `${formatCount(freed, signed)} objects freed, ${formatCount(live, signed)} still live.`);
  }
}
