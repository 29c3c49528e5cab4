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
  constructor(document) {
    const {from, to, view, ...state} = readAddress();
    this.view = Object.hasOwn(VIEWS, view ?? '') ? view : 'change';
    const whole = profileOfView({...document, stacks: new Stacks(document.stacks)}, this.view);
    this.span = spanOf(whole, from, to);
    this.profile = profileOfSpan(whole, this.span);
    const {profile} = this;
    if (!profile.has_peak) {
      delete METRICS.peak;
      delete COLUMNS.peak;
    }
    this.signed = profile.difference || Object.values(METRICS).some(({number}) => profile.stacks.has(number, n => n < 0));
    this.tree = new StackTree(profile);
    this.showHeading();
    this.showComparison(document);
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
    this.restore(state);
  }

  /// Shows again what the address of the page says.
  restore({metric, group, callees, search, focus}) {
    byId('group').value = Object.hasOwn(GROUPS, group ?? '') ? group : 'site';
    byId('callees').value = callees === 'all' ? 'all' : 'own';
    byId('query').value = search ?? '';
    this.choose(Object.hasOwn(METRICS, metric ?? '') ? metric : this.firstMetric(), focus);
  }

  /// Offers what `hotlane serve` can do: a page made later that has this dump as its base.
  showLater({sequence}) {
    const link = element('a', {href: `?base=${sequence}`}, 'Show what changed since this page');
    link.addEventListener('click', () => {
      link.href = `?base=${sequence}${location.hash}`;
    });
    byId('comparison').append(link);
    byId('comparison').hidden = false;
  }

  /// Selects one of the views of a profile with a base.
  showComparison(document) {
    const {base} = document;
    if (document.served) {
      this.showLater(document);
    }
    if (!base) {
      return;
    }
    const options = Object.entries(VIEWS).map(([view, text]) => element('option', {value: view, selected: view === this.view}, text));
    const select = element('select', {id: 'view'}, ...options);
    select.addEventListener('change', () => {
      writeAddress({view: select.value === 'change' ? '' : select.value, from: '', to: '', metric: '', focus: ''});
      location.reload();
    });
    const taken = [
      fileName(base.program), base.process && `process ${base.process}`,
      base.reason && `${REASONS[base.reason] ?? base.reason}, no. ${base.sequence}`, base.time_ns && formatDate(base.time_ns),
    ];
    byId('comparison').prepend(element('label', {}, 'Show ', select),
                               element('span', {class: 'quiet'}, `Base: ${taken.filter(Boolean).join(' · ')}`));
    byId('comparison').hidden = false;
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
    return this.profile.stacks.has('live.bytes', bytes => bytes !== 0) ? 'live' : 'cumulative';
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
      Stacks: `${formatCount(profile.stacks.used.reduce((sum, used) => sum + used, 0))}, by ${profile.unwind}`,
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
    const {root} = this.tree;
    const totals = Object.fromEntries(Object.keys(METRICS).map(name => [name, root.totalOf(name)]));
    const objects = this.profile.stacks.sum('live.objects');
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

  /// Shows the metric, and zooms to the node that `focus` names, or stays where it is.
  choose(name, focus) {
    byId('metrics').querySelector(`[value=${name}]`).checked = true;
    this.metric = name;
    this.tree.weigh(name);
    this.sites.sortByMetric(name);
    this.graph.weighed(focus === undefined ? undefined : nodeOfFocus(this.tree, focus));
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
    this.shown = node;
    for (const scope of document.querySelectorAll('.scope')) {
      scope.textContent = node.parent ? `below ${node.place.name}` : '';
    }
    byId('reset').hidden = !node.parent;
    this.lifetimes.show(node, this.signed);
    this.showSites();
  }

  showSites() {
    const group = GROUPS[byId('group').value];
    this.sites.show(collectRows(this.shown, group, byId('callees').value === 'all'), group, this.signed);
  }

  /// Puts the selected metric first, with its share and the frame's own part of it.
  describe(node) {
    const {format, number} = METRICS[this.metric];
    const own = this.profile.stacks.sum(number, node.first, node.end);
    const share = this.signed ? '' : formatShare(node.value, this.tree.root.value);
    const others = Object.entries(METRICS).filter(([name]) => name !== this.metric).map(
      ([name, metric]) => `${metric.label.toLowerCase()} ${metric.format(node.totalOf(name), this.signed)}`);
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
