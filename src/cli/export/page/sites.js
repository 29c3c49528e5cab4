// SPDX-License-Identifier: MIT
//
// The table of sites with all metrics, sorted by the selected column.
'use strict';

const ROWS_AT_ONCE = 20;

/// Frames with the same key share a row. `name` and `place` are the text of the row.
const GROUPS = {
  site: {
    title: 'Site',
    key: place => `${place.key}:${place.line}`,
    name: place => place.name,
    place: place => [place.file && fileName(place.file) + (place.line ? `:${place.line}` : ''),
                     place.library && fileName(place.library)].filter(Boolean).join(' · '),
  },
  function: {
    title: 'Function',
    key: place => place.key,
    name: place => place.name,
    place: place => [place.file && fileName(place.file), place.library && fileName(place.library)]
      .filter(Boolean).join(' · '),
  },
  library: {
    title: 'Library',
    key: place => place.library,
    name: place => (place.library ? fileName(place.library) : UNKNOWN),
    place: place => place.library,
  },
};

const UNKNOWN_PLACE = {key: -1, name: UNKNOWN, file: '', library: '', line: 0, inlined: false};

/// The numbers of a row. Some are followed by their share of another column.
const COLUMNS = {
  peak: {title: 'Peak', format: formatBytes},
  live: {title: 'Live', format: formatBytes},
  cumulative: {title: 'Cumulative', format: formatBytes},
  count: {title: 'Count', format: formatCount},
  temporary: {title: 'Temporary', format: formatCount, shareOf: 'count'},
  slack: {title: 'Slack', format: formatBytes, shareOf: 'cumulative'},
  remote: {title: 'Remote', format: formatBytes, shareOf: 'cumulative'},
};

/// Makes one row for each group of frames: either by the site of each stack (its first frame that does not belong to an
/// allocator), or by all of its frames.
class Rows {
  constructor(stacks, places, group) {
    this.stacks = stacks;
    this.places = places;
    this.group = group;
    this.rows = new Map();  // by key
    this.rowOfFrame = [];
  }

  rowOf(frame) {
    this.rowOfFrame[frame] ??= this.rowOfPlace(this.places[frame]);
    return this.rowOfFrame[frame];
  }

  rowOfPlace(place) {
    const key = place === UNKNOWN_PLACE ? '' : this.group.key(place);
    let row = this.rows.get(key);
    if (!row) {
      row = {place, stack: -1, peak: 0, live: 0, cumulative: 0, count: 0, temporary: 0, slack: 0, remote: 0};
      this.rows.set(key, row);
    }
    return row;
  }

  /// A stack counts once in a row, even if a function calls itself.
  add(row, stack) {
    const {columns} = this.stacks;
    if (row.stack === stack) {
      return;
    }
    row.stack = stack;
    row.peak += columns['peak.bytes'][stack];
    row.live += columns['live.bytes'][stack];
    row.cumulative += columns['cumulative.bytes'][stack];
    row.count += columns['cumulative.objects'][stack];
    row.temporary += columns['temporary.objects'][stack];
    row.slack += columns['cumulative.bytes'][stack] - columns['cumulative.requested'][stack];
    row.remote += columns['remote.bytes'][stack];
  }

  addSite(stack) {
    const site = this.stacks.sites[stack];
    this.add(site < 0 ? this.rowOfPlace(UNKNOWN_PLACE) : this.rowOf(site), stack);
  }

  addFrames(stack) {
    const {frames, starts} = this.stacks;
    for (let at = starts[stack + 1]; at-- > starts[stack];) {
      this.add(this.rowOf(frames[at]), stack);
    }
    if (starts[stack] === starts[stack + 1]) {
      this.add(this.rowOfPlace(UNKNOWN_PLACE), stack);
    }
  }
}

/// Returns the rows of the stacks at and below a node.
function collectRows({first, last, tree}, group, withCallees) {
  const rows = new Rows(tree.stacks, tree.places, group);
  for (let stack = first; stack < last; ++stack) {
    if (!tree.stacks.used[stack]) {
      continue;
    }
    if (withCallees) {
      rows.addFrames(stack);
    } else {
      rows.addSite(stack);
    }
  }
  return [...rows.rows.values()];
}

class SiteTable {
  /// Calls onSearch(text) when the name of a row is clicked.
  constructor(host, onSearch) {
    this.onSearch = onSearch;
    this.sortedBy = 'live';
    this.descending = true;
    this.rows = [];
    this.limit = ROWS_AT_ONCE;
    this.heads = element('tr');
    this.body = element('tbody');
    this.more = element('button', {type: 'button'});
    this.more.addEventListener('click', () => this.showMore());
    this.caption = element('caption', {class: 'quiet'});
    host.append(
      element('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-labelledby': 'sites-title'},
              element('table', {}, this.caption, element('thead', {}, this.heads), this.body)),
      this.more);
  }

  show(rows, group, signed) {
    this.rows = rows;
    this.group = group;
    this.signed = signed;
    this.limit = ROWS_AT_ONCE;
    this.draw();
  }

  sortBy(column) {
    this.descending = this.sortedBy === column ? !this.descending : column !== 'name';
    this.sortedBy = column;
    this.draw();
    this.heads.querySelector('[aria-sort] button').focus();
  }

  sortByMetric(metric) {
    this.sortedBy = metric;
    this.descending = true;
  }

  showMore() {
    const first = this.limit;
    this.limit *= 4;
    this.draw();
    this.body.rows[first]?.querySelector('button').focus();
  }

  sorted() {
    const direction = this.descending ? -1 : 1;
    if (this.sortedBy === 'name') {
      return this.rows.toSorted((a, b) => direction * this.group.name(a.place).localeCompare(this.group.name(b.place)));
    }
    return this.rows.toSorted((a, b) => direction * (a[this.sortedBy] - b[this.sortedBy]));
  }

  draw() {
    this.heads.replaceChildren(this.head('name', this.group.title),
                               ...Object.entries(COLUMNS).map(([name, column]) => this.head(name, column.title)));
    const rows = this.sorted();
    const most = rows.reduce((soFar, row) => Math.max(soFar, Math.abs(row[this.sortedBy])), 1);
    this.body.replaceChildren(...rows.slice(0, this.limit).map(row => this.line(row, most)));
    const shown = Math.min(rows.length, this.limit);
    this.caption.textContent = shown < rows.length ? `${formatCount(shown)} of ${formatCount(rows.length)} rows`
                                                   : `${formatCount(shown)} ${shown === 1 ? 'row' : 'rows'}`;
    this.more.hidden = shown === rows.length;
    this.more.textContent = `Show ${formatCount(Math.min(rows.length, this.limit * 4) - shown)} more rows`;
  }

  head(name, title) {
    const sorted = name === this.sortedBy;
    const button = element('button', {type: 'button'}, title);
    button.addEventListener('click', () => this.sortBy(name));
    const order = this.descending ? 'descending' : 'ascending';
    const kind = name === 'name' ? 'name' : 'number';
    return element('th', {scope: 'col', 'aria-sort': sorted && order, class: kind}, button);
  }

  line(row, most) {
    const name = this.group.name(row.place);
    const button = element('button', {type: 'button', title: `Search for ${name}`}, name);
    button.addEventListener('click', () => this.onSearch(name));
    const place = this.group.place(row.place) + (row.place.inlined ? ' · inlined' : '');
    const cells = Object.keys(COLUMNS).map(column => this.cell(row, column, most));
    const head = element('th', {scope: 'row', class: 'name'}, button, element('small', {}, place));
    return element('tr', {}, head, ...cells);
  }

  cell(row, column, most) {
    const {title, format, shareOf} = COLUMNS[column];
    const number = row[column];
    const kind = number === 0 ? 'number quiet' : 'number';
    const cell = element('td', {'data-title': title, class: kind}, format(number, this.signed));
    if (shareOf && number !== 0 && !this.signed) {
      cell.append(element('small', {}, formatShare(number, row[shareOf])));
    }
    if (column === this.sortedBy) {
      cell.classList.add('sorted');
      cell.style.setProperty('--share', `${100 * Math.abs(number) / most}%`);
    }
    return cell;
  }
}
