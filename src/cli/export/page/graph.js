// SPDX-License-Identifier: MIT
//
// The flame graph of the stacks: zoom, search, the focused frame, keyboard and pointer.
'use strict';

/// The number of callers shown above a frame that was zoomed to. The others can be scrolled to.
const CALLERS_IN_SIGHT = 3;

class Graph {
  /// Calls onZoom(node) when the zoom changes and onShow(node) when another frame is to be described. `signed` is
  /// true for a difference.
  constructor(host, tree, signed, {onZoom, onShow}) {
    this.host = host;
    this.tree = tree;
    this.onZoom = onZoom;
    this.onShow = onShow;
    this.zoomed = tree.root;
    this.focused = tree.root;
    this.hovered = null;
    /// What matches the search, or null when there is no search.
    this.matches = null;
    this.signed = signed;
    this.rows = [];
    this.depth = host.querySelector('div');
    this.painter = new Painter(host.querySelector('canvas'), tree.libraries);
    this.repaint = beforeNextFrame(() => this.paint());
    this.relayout = beforeNextFrame(() => this.layOut());
    this.listen();
  }

  listen() {
    new ResizeObserver(() => {
      const {width, height} = this.painter;
      if (this.host.clientWidth !== width || this.host.clientHeight !== height) {
        this.relayout();
      }
    }).observe(this.host);
    this.host.addEventListener('scroll', this.repaint);
    this.host.addEventListener('keydown', event => this.press(event));
    this.host.addEventListener('focus', () => this.show(this.focused));
    this.host.addEventListener('blur', this.repaint);
    this.host.addEventListener('pointermove', event => this.hover(this.nodeAt(event)));
    this.host.addEventListener('pointerleave', () => this.hover(null));
    this.host.addEventListener('click', event => this.click(event));
  }

  /// Called after the tree was weighed by another metric. Zooms to `node`, or stays where it is.
  weighed(node = this.zoomed) {
    this.zoomed = node.weight === 0 ? this.tree.root : node;
    this.layOut();
    this.show(this.focused);
  }

  themeChanged() {
    this.painter.readColours();
    this.layOut();
  }

  layOut() {
    const width = this.host.clientWidth;
    this.rows = layOut(this.zoomed, width);
    if (!boxOf(this.rows, this.focused)) {
      this.focused = this.zoomed;
    }
    // The canvas has the greatest height of its host and stays in place; the content scrolls under it.
    this.host.querySelector('canvas').style.height = 0;
    this.depth.style.height = `${this.rows.length * ROW_HEIGHT}px`;
    this.painter.resize(width, this.host.clientHeight);
    this.host.dataset.boxes = this.rows.reduce((sum, row) => sum + row.length, 0);
    this.paint();
  }

  paint() {
    const view = {
      top: this.host.scrollTop, width: this.host.clientWidth, height: this.host.clientHeight,
      zoomed: this.zoomed, focused: this.focused, hovered: this.hovered, matches: this.matches, signed: this.signed,
      showsFocus: this.host.matches(':focus-visible'), labelOf: node => this.labelOf(node),
    };
    this.host.dataset.painted = this.painter.paint(this.rows, view);
  }

  labelOf(node) {
    const name = node.parent ? node.place.name : `all of ${node.place.name}`;
    return this.signed && node.value !== 0 ? `${node.value < 0 ? MINUS : '+'} ${name}` : name;
  }

  nodeAt(event) {
    const frame = this.host.getBoundingClientRect();
    const row = this.rows[Math.floor((event.clientY - frame.top + this.host.scrollTop) / ROW_HEIGHT)];
    return row && boxAt(row, event.clientX - frame.left)?.node || null;
  }

  hover(node) {
    if (node !== this.hovered) {
      this.hovered = node;
      this.host.style.cursor = node ? 'pointer' : '';
      this.onShow(node ?? this.focused);
      this.repaint();
    }
  }

  click(event) {
    const node = this.nodeAt(event);
    if (node) {
      this.focused = node;
      this.zoom(node);
    }
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (event.key.startsWith('Arrow') || event.key === 'Home') {
      this.show(neighbour(this.rows, this.focused, event.key));
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.zoom(this.focused);
    } else if (event.key === 'Escape') {
      this.zoom(this.tree.root);
    } else {
      return;
    }
    event.preventDefault();
  }

  /// Focuses the node, scrolls to it and describes it.
  show(node) {
    this.focused = node;
    const top = node.depth * ROW_HEIGHT;
    const bottom = top + ROW_HEIGHT - this.host.clientHeight;
    this.host.scrollTop = Math.max(bottom, Math.min(this.host.scrollTop, top));
    this.onShow(node);
    this.repaint();
  }

  zoom(node) {
    if (node.weight === 0 && node.parent) {
      return;
    }
    this.zoomed = node;
    this.layOut();
    this.host.scrollTop = (node.depth - CALLERS_IN_SIGHT) * ROW_HEIGHT;
    this.show(this.focused);
    this.onZoom(node);
  }

  /// Marks the frames that contain the text. Returns their number and what the stacks with such a frame weigh, or null
  /// when there is no text.
  search(text) {
    this.matches = text.trim() ? new Matches(this.tree, text) : null;
    this.found = this.matches?.count() ?? null;
    this.repaint();
    return this.found;
  }

  /// Zooms out if the match would not be visible.
  step(forward) {
    if (!this.found?.count) {
      return;
    }
    const from = this.matches.has(this.focused) ? this.focused : this.tree.root;
    const node = forward ? this.matches.after(from) : this.matches.before(from);
    if (!boxOf(this.rows, node)) {
      this.zoomed = boxOf(layOut(this.tree.root, this.host.clientWidth), node) ? this.tree.root : node;
      this.layOut();
      this.onZoom(this.zoomed);
    }
    this.show(node);
  }
}
