// SPDX-License-Identifier: MIT
//
// The main script: reads the profile, fills in the heading, and connects the parts of the page.
'use strict';

const EXPLANATION = {
  peak: 'live at the highest moment',
  live: 'not yet freed',
  cumulative: 'ever allocated',
  count: 'objects ever allocated',
  temporary: 'objects freed within 1 ms',
};

const REASONS = {exit: 'at exit', signal: 'by signal', interval: 'by interval', call: 'by call'};

class Page {
  constructor(whole) {
    const {from, to, ...state} = readAddress();
    this.span = spanOf(whole, from, to);
    this.profile = profileOfSpan(whole, this.span);
    const {profile} = this;
    if (!profile.has_peak) {
      delete METRICS.peak;
      delete COLUMNS.peak;
    }
    this.signed = profile.difference || profile.stacks.some(stack => Object.values(METRICS).some(metric => metric.of(stack) < 0));
    this.tree = new StackTree(profile);
    this.showHeading();
    this.showTimeline(whole);
    this.addMetrics();
    this.graph = new Graph(byId('graph'), this.tree, this.signed, {
      onZoom: node => this.showBelow(node), onShow: node => this.describe(node)});
    this.theme = new Theme(byId('theme'), () => this.graph.themeChanged());
    this.classes = new SizeClasses(byId('classes'));
    this.lifetimes = new Lifetimes(byId('lifetimes'));
    this.sites = new SiteTable(byId('sites'), name => this.find(name));
    this.listen();
    this.showLegend();
    this.classes.show(profile.classes);
    this.choose(Object.hasOwn(METRICS, state.metric ?? '') ? state.metric : this.firstMetric());
    this.restore(state);
  }

  /// Shows again what the address of the page says.
  restore({group, callees, search, focus}) {
    byId('group').value = Object.hasOwn(GROUPS, group ?? '') ? group : 'site';
    byId('callees').value = callees === 'all' ? 'all' : 'own';
    const node = nodeOfFocus(this.tree, focus);
    if (node.parent) {
      this.graph.zoom(node);
    } else {
      this.showSites();
    }
    if (search) {
      this.search(search);
    }
  }

  showTimeline(whole) {
    if (whole.timeline?.length > 1 && !whole.difference) {
      byId('course').hidden = false;
      this.timeline = new Timeline(byId('timeline'), whole, this.span, (from, to) => {
        const all = wholeSpan(whole);
        writeAddress({from: from === all.from ? '' : from, to: to === all.to ? '' : to, metric: '', focus: ''});
        location.reload();
      });
    }
  }

  /// Returns the peak at exit, when nearly everything is freed; else live bytes, unless there are none.
  firstMetric() {
    if (this.profile.has_peak && this.profile.reason === 'exit') {
      return 'peak';
    }
    return this.profile.stacks.some(stack => stack.live.bytes !== 0) ? 'live' : 'cumulative';
  }

  listen() {
    byId('metrics').addEventListener('change', event => {
      this.choose(event.target.value);
      writeAddress({metric: this.metric});
    });
    byId('query').addEventListener('input', () => this.searched());
    byId('query').addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.search('');
        event.preventDefault();
      } else if (event.key === 'Enter' && event.shiftKey) {
        this.graph.step(false);
        event.preventDefault();
      }
    });
    byId('search').addEventListener('submit', event => {
      this.graph.step(true);
      event.preventDefault();
    });
    byId('previous').addEventListener('click', () => this.graph.step(false));
    byId('reset').addEventListener('click', () => {
      this.graph.zoom(this.tree.root);
      byId('graph').focus();
    });
    for (const id of ['group', 'callees']) {
      byId(id).addEventListener('change', event => {
        this.showSites();
        writeAddress({[id]: event.target.value});
      });
    }
  }

  showHeading() {
    const {profile} = this;
    const name = fileName(profile.program);
    document.title = `${name}: hotlane profile`;
    byId('program').textContent = name;
    const exact = profile.period === 1;
    const facts = {
      Program: profile.program === name ? '' : profile.program,
      Process: profile.process,
      Taken: profile.time_ns ? formatDate(profile.time_ns) : '',
      Dump: profile.reason ? `${REASONS[profile.reason] ?? profile.reason}, no. ${profile.sequence}` : '',
      Duration: formatTime(profile.duration_ns),
      Period: exact ? 'every allocation' : `one sample per ${withoutZeros(formatBytes(profile.period))}`,
      Samples: formatCount(profile.samples),
      'Lost samples': formatCount(profile.lost_samples),
      Stacks: `${formatCount(profile.stacks.length)}, by ${profile.unwind}`,
    };
    for (const [name, value] of Object.entries(facts)) {
      if (value !== '' && value !== undefined) {
        const warns = name === 'Lost samples' && profile.lost_samples > 0;
        byId('facts').append(element('div', {class: warns && 'warning'}, element('dt', {}, name),
                                     element('dd', {}, (warns ? '⚠ ' : '') + value)));
      }
    }
    byId('meaning').textContent =
      `${exact ? 'Exact numbers.' : 'Numbers are estimated from the samples.'} ` +
      `${this.signed ? 'This is the difference of two moments: + is growth, − is shrinkage. ' : ''}` +
      (profile.bytes === 'requested' ? 'Bytes are those that the program requested. '
        : 'An object has the bytes of its size class. Slack is the part that the program did not request. ') +
      'Remote objects were freed by another thread.';
  }

  /// The buttons that select the metric; they show its total.
  addMetrics() {
    const {stacks} = this.profile;
    const totals = Object.fromEntries(Object.entries(METRICS).map(([name, {of}]) => [name, sumOf(stacks, of)]));
    const objects = sumOf(stacks, stack => stack.live.objects);
    const more = {
      peak: peakTime(this.profile),
      live: `${formatCount(objects, this.signed)} objects`,
      temporary: this.signed ? '' : formatShare(totals.temporary, totals.count),
    };
    for (const [name, metric] of Object.entries(METRICS)) {
      byId('metrics').append(element('label', {class: 'metric'},
        element('input', {type: 'radio', name: 'metric', value: name}),
        element('span', {class: 'title'}, metric.label),
        element('strong', {}, metric.format(totals[name], this.signed)),
        element('small', {}, [EXPLANATION[name], more[name]].filter(Boolean).join(' · '))));
    }
  }

  choose(name) {
    byId('metrics').querySelector(`[value=${name}]`).checked = true;
    this.metric = name;
    this.tree.weigh(name);
    this.sites.sortByMetric(name);
    this.graph.weighed();
    this.searched();
    this.showBelow(this.graph.zoomed);
  }

  search(text) {
    byId('query').value = text;
    this.searched();
  }

  /// Goes from the table to the first match in the graph.
  find(text) {
    this.search(text);
    this.graph.step(true);
    this.graph.host.focus();
  }

  searched() {
    const text = byId('query').value;
    writeAddress({search: text.trim()});
    const found = this.graph.search(text);
    const share = found && !this.signed && formatShare(found.weight, this.tree.root.weight);
    byId('matches').textContent = !found ? '' : found.count === 0 ? 'no match'
      : `${formatCount(found.count)} ${found.count === 1 ? 'frame' : 'frames'}${share ? `, ${share}` : ''}`;
    byId('previous').disabled = byId('next').disabled = !found?.count;
  }

  /// Describes the part of the tree that is zoomed to.
  showBelow(node) {
    writeAddress({focus: focusOf(node)});
    this.stacks = node.parent ? stacksBelow(node) : this.profile.stacks;
    for (const scope of document.querySelectorAll('.scope')) {
      scope.textContent = node.parent ? `below ${node.place.name}` : '';
    }
    byId('reset').hidden = !node.parent;
    this.lifetimes.show(this.stacks, this.signed);
    this.showSites();
  }

  showSites() {
    const group = GROUPS[byId('group').value];
    this.sites.show(collectRows(this.stacks, this.tree.places, group, byId('callees').value === 'all'),
                    group, this.signed);
  }

  /// Puts the selected metric first, with its share and the frame's own part of it.
  describe(node) {
    const {format, of} = METRICS[this.metric];
    const own = sumOf(node.stacks, of);
    const share = this.signed ? '' : formatShare(node.value, this.tree.root.value);
    const others = Object.entries(METRICS).filter(([name]) => name !== this.metric).map(
      ([name, metric]) => `${metric.label.toLowerCase()} ${metric.format(node.totals[name], this.signed)}`);
    byId('details-name').textContent = node.parent ? node.place.name : `all of ${node.place.name}`;
    byId('details-place').textContent = [
      node.source, node.place.library && fileName(node.place.library), node.place.inlined ? 'inlined' : '',
    ].filter(Boolean).join(' · ');
    byId('details-text').textContent = [
      `${METRICS[this.metric].label} ${format(node.value, this.signed)}${share && ` (${share})`}`,
      own !== 0 && own !== node.value ? `${format(own, this.signed)} by itself` : '',
      ...others,
    ].filter(Boolean).join(' · ');
  }

  showLegend() {
    const items = this.signed
      ? [['rise', '+ more than before'], ['fall', `${MINUS} less than before, hatched`]]
      : this.tree.libraries.slice(0, HUES - 1).map(library => [
        `library-${hueOf(this.tree.libraries, library)}`, library ? fileName(library) : 'unknown library']);
    if (!this.signed && this.tree.libraries.length >= HUES) {
      items.push([`library-${HUES - 1}`, 'other libraries']);
    }
    for (const [colour, text] of items) {
      const swatch = element('span', {class: `swatch ${colour}`});
      byId('legend').append(element('li', {}, swatch, text));
    }
  }
}

/// Returns when the peak was.
function peakTime(profile) {
  return profile.has_peak && profile.peak_ns && !profile.difference ? `after ${formatTime(profile.peak_ns)}` : '';
}

function start() {
  try {
    return new Page(JSON.parse(byId('profile').textContent));
  } catch (error) {
    byId('trouble').textContent = `Cannot show the profile: ${error.message}`;
    byId('trouble').hidden = false;
    throw error;
  }
}

const page = start();
