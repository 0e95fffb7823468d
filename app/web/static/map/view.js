// Map page: all shots of the library in a plane, near each other where they look alike.

import { api } from '../core/api.js';
import { element, setOverlayHome } from '../core/dom.js';
import { HoverCard } from '../core/hover_card.js';
import { addKeys, onControl } from '../core/keys.js';
import { legend } from '../core/ramp.js';
import { isDark, watchTheme } from '../core/theme.js';
import { durationText, timeText } from '../core/timecode.js';
import { attempt } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { MapCanvas } from './canvas.js';
import { followGestures } from './gestures.js';
import { MapPictures } from './pictures.js';
import { Points } from './points.js';
import { MapProgress } from './progress.js';
import { Selection } from './selection.js';

const NEAR = 14; // pixels around the pointer in which a point is found
const WALK = 60; // shots near the opened one that the player walks through
const LARGEST = 8; // folders that have a colour of their own
const views = new WeakMap();

/**
 * The answer to a search for one version of the map, as the page passes it.
 *
 * @typedef {object} MapScores
 * @property {string} key Changes with the search.
 * @property {string} version Of the map that it was answered for.
 * @property {boolean} scored Whether there are scores, and not filters alone.
 * @property {string} scores Base64 of a uint16 for each point: 65535 is left out by filters, 0 to 65534 is least to most.
 * @property {number} least
 * @property {number} most
 * @property {number} low Score of the lowest colour.
 * @property {number} high Score of the highest colour.
 * @property {number} left_out Number of points that filters leave out.
 */

/**
 * Mount the view. Triggers: made (there is a new map), like {segment}, range {segment, start_pts, end_pts}.
 *
 * @param {import('../core/types.js').Component<{encoder: string, asks: boolean, asked: MapScores | null}>} component `asks`:
 *   whether there is a search or a filter.
 * @returns {() => void} Removes the view.
 */
export function mount(component) {
  let view = views.get(component.parentElement);
  if (!view) {
    view = new MapView(component.parentElement);
    views.set(component.parentElement, view);
  }
  view.update(component);
  return () => {
    view.remove();
    views.delete(component.parentElement);
  };
}

class MapView {
  constructor(parent) {
    setOverlayHome(parent);
    this.parent = parent;
    this.facts = new Map(); // id of a segment that was hovered -> SegmentInfo
    this.chosen = null;
    this.hovered = -1;
    this.build();
    this.map = new MapCanvas(this.canvas);
    this.selection = new Selection({
      open: (place) => this.openItems(this.selection.items, place),
      clear: () => this.choose([]),
    });
    this.stage.append(this.selection.root);
    this.card = new HoverCard(parent);
    this.pictures = new MapPictures(this.map);
    this.canvas.after(this.pictures.layer);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.stage);
    this.unwatchTheme = watchTheme(parent, () => this.recolour());
    this.unwatchTray = tray.watch();
    this.stopGestures = followGestures(this.stage, this);
    this.stage.addEventListener('focus', () => !this.pressed && this.aim());
    this.stage.addEventListener('blur', () => this.unaim());
    this.removeKeys = addKeys('Map', this.keys());
  }

  build() {
    const button = (text, title, run) =>
      element('button', { class: 'ps-button', type: 'button', text, title, 'aria-label': title, onclick: run });
    this.modes = element('div', { class: 'ps-chips', role: 'group', 'aria-label': 'Colour by' });
    this.legend = element('div', { class: 'ps-map-legend' });
    this.status = element('div', { class: 'ps-muted ps-map-status', role: 'status' });
    this.canvas = element('canvas', { 'aria-hidden': 'true' });
    this.lasso = element('canvas', { class: 'ps-map-lasso', 'aria-hidden': 'true', hidden: true });
    this.ring = element('div', { class: 'ps-map-ring', hidden: true });
    this.cross = element('div', { class: 'ps-map-cross', hidden: true });
    this.progress = new MapProgress((version) => this.load(version));
    this.picturesButton = element('button', {
      class: 'ps-button',
      type: 'button',
      text: 'Pictures',
      title: 'Pictures on the points (P)',
      'aria-pressed': 'true',
      onclick: () => this.togglePictures(),
    });
    this.stage = element(
      'div',
      {
        class: 'ps-map-stage',
        tabindex: '0',
        role: 'application',
        'data-ps-keys': '',
        'aria-label':
          'Map of all shots. Arrow keys move it, plus and minus zoom, Enter opens the shot in the middle, V chooses all that is seen.',
      },
      this.canvas,
      this.lasso,
      this.ring,
      this.cross,
      this.progress.root,
      element(
        'div',
        { class: 'ps-map-zoom' },
        button('+', 'Zoom in (+)', () => this.zoom(2)),
        button('−', 'Zoom out (-)', () => this.zoom(0.5)),
        button('⤢', 'The whole map (0)', () => this.whole()),
      ),
    );
    this.root = element(
      'div',
      { class: 'ps-view ps-map' },
      element(
        'div',
        { class: 'ps-map-tools' },
        this.modes,
        this.picturesButton,
        element('button', {
          class: 'ps-button',
          type: 'button',
          title: 'Choose all shots that are seen (V)',
          text: 'Choose what is seen',
          onclick: () => this.chooseSeen(),
        }),
        this.legend,
      ),
      this.stage,
      this.status,
    );
    this.parent.append(this.root);
  }

  keys() {
    const pan = (x, y) => (event) => {
      if (
        onControl(event) ||
        !this.points ||
        (document.activeElement !== this.stage && document.activeElement !== document.body)
      )
        return false;
      this.map.pan(x * this.map.width * 0.12, y * this.map.height * 0.12);
      this.cross.hidden = false;
      this.moved();
      return true;
    };
    return [
      { key: 'ArrowLeft', label: 'To the left', run: pan(1, 0) },
      { key: 'ArrowRight', label: 'To the right', run: pan(-1, 0) },
      { key: 'ArrowUp', label: 'Up', run: pan(0, 1) },
      { key: 'ArrowDown', label: 'Down', run: pan(0, -1) },
      { key: '+ =', label: 'Zoom in', run: () => this.zoom(1.5) },
      { key: '-', label: 'Zoom out', run: () => this.zoom(1 / 1.5) },
      { key: '0', label: 'The whole map', run: () => this.whole() },
      {
        key: 'Enter',
        label: 'Open the shot under the pointer or in the middle',
        run: (event) => (onControl(event) || this.at < 0 ? false : this.open(this.at)),
      },
      { key: 's S', label: 'Add what is chosen, or that shot, to the tray', run: () => this.keep() },
      {
        key: 'm M',
        label: 'Colour by likeness to that shot',
        run: () => (this.at < 0 ? false : this.trigger('like', { segment: this.points.ids[this.at] })),
      },
      { key: 'v V', label: 'Choose all that is seen (or drag with Shift)', run: () => this.chooseSeen() },
      { key: 'p P', label: 'Pictures on the points', run: () => this.togglePictures() },
      { key: 'Escape', label: 'Clear what is chosen', run: () => (this.chosen ? this.choose([]) : false) },
    ];
  }

  update(component) {
    this.component = component;
    const { data } = component;
    if (!data) return;
    if (data.encoder !== this.encoder) {
      this.encoder = data.encoder;
      this.progress.follow(data.encoder);
    }
    if ((data.asked?.key ?? null) === this.askedKey && data.asked?.version === this.asked?.version) return;
    this.asked = data.asked;
    this.askedKey = data.asked?.key ?? null;
    this.mode = null;
    this.takeScores();
  }

  // Making and loading

  async load(version) {
    const stretch = Math.min(1.8, Math.max(1, this.stage.clientWidth / Math.max(1, this.stage.clientHeight)));
    const points = await attempt(() => Points.load(this.encoder, version, stretch));
    if (!points) return;
    this.version = version;
    this.points = points;
    this.chosen = null;
    this.selection.set([]);
    this.pictures.forget();
    this.map.setPoints(points);
    this.takeScores();
    this.root.dataset.ready = version;
    // The page's script can score a map only once it exists, and only as it is now.
    if (this.component.data.asks && this.asked?.version !== version) this.component.setTriggerValue('made', version);
  }

  takeScores() {
    if (!this.points) return;
    this.points.setScores(this.asked?.version === this.version ? this.asked : null);
    this.recolour();
  }

  // Drawing

  recolour() {
    const { points } = this;
    if (!points) return;
    const dark = isDark(this.parent);
    const folders = points.largestFolders();
    const modes = [
      points.scores ? ['score', 'Score'] : null,
      folders.length > 1 ? ['folder', 'Folder'] : null,
      ['video', 'Video'],
    ].filter(Boolean);
    if (!modes.some(([mode]) => mode === this.mode)) {
      // Colours by folder are useful where a few folders hold most of the shots.
      const held = folders.slice(0, LARGEST).reduce((sum, { count }) => sum + count, 0);
      this.mode = points.scores ? 'score' : folders.length > 1 && held > 0.6 * points.count ? 'folder' : 'video';
    }
    this.modes.replaceChildren(
      ...(modes.length > 1
        ? modes.map(([mode, text]) =>
            element('button', {
              class: 'ps-chip',
              type: 'button',
              'aria-pressed': String(mode === this.mode),
              text,
              onclick: () => {
                this.mode = mode;
                this.recolour();
              },
            }),
          )
        : []),
    );
    this.legend.replaceChildren(
      this.mode === 'score'
        ? legend(points.low, points.high, dark)
        : this.mode === 'folder'
          ? this.folderLegend(folders)
          : '',
    );
    this.map.setColours(points.coloured(this.mode, dark, dark ? [58, 64, 69] : [208, 204, 197], this.chosen));
    this.dark = dark;
    this.draw();
    this.pictures.spread();
    this.drawStatus();
  }

  folderLegend(folders) {
    const swatch = (colour, text, title) => {
      const dot = element('i', {});
      dot.style.background = `rgb(${colour.join(' ')})`;
      return element('span', { class: 'ps-map-folder', title }, dot, element('span', { text }));
    };
    const name = (path) =>
      path
        .replace(/[\\/]+$/, '')
        .split(/[\\/]/)
        .at(-1) || path;
    const others = folders.length - LARGEST;
    return element(
      'div',
      { class: 'ps-map-folders' },
      ...folders
        .slice(0, LARGEST)
        .map(({ folder, colour, count }) =>
          swatch(
            colour,
            name(this.points.folderNames[folder]),
            `${this.points.folderNames[folder]}: ${count.toLocaleString()} shots`,
          ),
        ),
      others > 0 ? swatch([140, 144, 148], `${others.toLocaleString()} more`) : null,
    );
  }

  drawStatus() {
    const { points } = this;
    const left = this.asked?.version === this.version ? (this.asked?.left_out ?? 0) : 0;
    const parts = [`${points.count.toLocaleString()} ${points.count === 1 ? 'shot' : 'shots'}`];
    if (left) parts.push(`${left.toLocaleString()} left out by filters`);
    if (points.scores) parts.push(`best score ${points.high.toFixed(2)}`);
    parts.push('near shots are alike · drag with Shift to choose');
    this.status.textContent = parts.join(' · ');
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    this.map.resize(width, height);
    this.draw();
    this.pictures.spread();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.points) return;
      this.map.draw();
      this.pictures.place((at) => this.chosen !== null && !this.chosen.has(at));
      this.placeRing();
      this.root.dataset.took = (this.map.took ?? 0).toFixed(1);
      this.root.dataset.zoom = this.map.magnification.toFixed(2);
    });
  }

  moved() {
    this.hover(-1);
    this.draw();
    this.pictures.spread();
    if (!this.cross.hidden) this.aim();
  }

  placeRing() {
    this.ring.hidden = this.hovered < 0;
    if (this.hovered < 0) return;
    const [x, y] = this.map.toScreen(this.hovered);
    this.ring.style.transform = `translate(${x}px, ${y}px)`;
  }

  togglePictures() {
    this.pictures.toggle();
    this.picturesButton.setAttribute('aria-pressed', String(this.pictures.on));
  }

  // One shot

  /** Return the index of the point at a place of the stage, or -1. Pictures count as their points. */
  find(x, y) {
    if (!this.points) return -1;
    const pictured = this.pictures.find(x, y);
    if (pictured >= 0) return pictured;
    return this.points.nearest(...this.map.toPlane(x, y), Math.max(NEAR, this.map.radius + 3) / this.map.scale);
  }

  hover(at) {
    if (at === this.hovered) return;
    this.hovered = at;
    this.placeRing();
    clearTimeout(this.factsTimer);
    if (at < 0) {
      this.card.hide();
      return;
    }
    this.showCard(at);
    const id = this.points.ids[at];
    if (!this.facts.has(id)) this.factsTimer = setTimeout(() => this.loadFacts(id), 60);
  }

  showCard(at) {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = this.map.toScreen(at);
    this.card.show(this.points.ids[at], { x: box.left + x, y: box.top + y - 8 }, this.linesOf(at));
  }

  linesOf(at) {
    const facts = this.facts.get(this.points.ids[at]);
    return [
      this.points.nameOf(at),
      facts
        ? `${timeText(facts.start)} · ${durationText(facts.end - facts.start)}${facts.missing ? ' · file not there now' : ''}`
        : '…',
      this.points.scores && !this.points.left[at] ? `score ${this.points.scores[at].toFixed(2)}` : null,
    ];
  }

  async loadFacts(id) {
    const facts = await api(`/api/segment/${id}`).catch(() => null);
    if (!facts) return;
    this.facts.set(id, facts);
    if (this.facts.size > 500) this.facts.delete(this.facts.keys().next().value);
    if (this.hovered >= 0 && this.points.ids[this.hovered] === id) this.showCard(this.hovered);
  }

  /** Hover the shot nearest to the middle, for keyboards. */
  aim() {
    this.cross.hidden = false;
    if (!this.points) return;
    const at = this.points.nearest(this.map.x, this.map.y, 0.25 * (this.map.height / this.map.scale));
    this.hover(at);
    this.stage.setAttribute(
      'aria-description',
      at < 0 ? 'No shot in the middle' : `In the middle: ${this.linesOf(at).filter(Boolean).join(', ')}`,
    );
  }

  unaim() {
    this.cross.hidden = true;
    this.hover(-1);
  }

  get at() {
    return this.points ? this.hovered : -1;
  }

  item(at) {
    const score = this.points.scores && !this.points.left[at] ? this.points.scores[at] : null;
    return { id: this.points.ids[at], name: this.points.nameOf(at), score };
  }

  open(at) {
    if (this.chosen?.has(at)) {
      this.openItems(
        this.selection.items,
        this.selection.items.findIndex((item) => item.id === this.points.ids[at]),
      );
    } else {
      this.openItems(
        this.points.around(at, WALK).map((each) => this.item(each)),
        0,
      );
    }
  }

  async openItems(items, place) {
    this.hover(-1);
    const { openPlayer } = await import('../player/player.js');
    openPlayer(
      items.map(({ id, score }) => ({ id, score: score ?? undefined })),
      place,
      {
        onLike: (segment) => this.trigger('like', { segment }),
        onRange: (range) => this.trigger('range', range),
        onClose: (segment) => {
          const at = segment === null ? -1 : this.points.indexOf(segment);
          if (at >= 0) this.draw();
        },
      },
    );
  }

  // Selection

  /** @param {[number, number][]} polygon Corners on the stage. */
  chooseWithin(polygon) {
    const xs = polygon.map(([x]) => x);
    const ys = polygon.map(([, y]) => y);
    const [left, top] = this.map.toPlane(Math.min(...xs), Math.min(...ys));
    const [right, bottom] = this.map.toPlane(Math.max(...xs), Math.max(...ys));
    const found = [];
    this.points?.inBox(left, top, right, bottom, (at) => {
      if (!this.points.left?.[at] && inside(...this.map.toScreen(at), polygon)) found.push(at);
    });
    this.choose(found);
  }

  chooseSeen() {
    const { width, height } = this.map;
    this.chooseWithin([
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ]);
  }

  choose(found) {
    const { points } = this;
    if (!points) return;
    // The best first; without scores in the order of videos.
    found.sort((a, b) => (points.scores ? points.scores[b] - points.scores[a] : 0) || a - b);
    this.chosen = found.length ? new Set(found) : null;
    this.selection.set(found.map((at) => this.item(at)));
    this.recolour();
  }

  keep() {
    if (this.chosen) this.selection.keep();
    else if (this.at >= 0)
      tray.add([{ segment: this.points.ids[this.at], score: this.item(this.at).score ?? undefined }]);
    else return false;
    return true;
  }

  zoom(factor, x, y) {
    if (!this.points) return;
    this.map.zoom(factor, x, y);
    this.moved();
  }

  whole() {
    this.map.fit();
    this.moved();
  }

  trigger(name, value) {
    this.component.setTriggerValue(name, { ...value, at: Date.now() });
  }

  remove() {
    this.progress.stop();
    this.pictures.remove();
    clearTimeout(this.factsTimer);
    if (this.frame) cancelAnimationFrame(this.frame);
    this.removeKeys();
    this.stopGestures();
    this.unwatchTheme();
    this.unwatchTray();
    this.sizes.disconnect();
    this.card.remove();
    this.root.remove();
  }
}

/** Return whether a place lies within a polygon (even-odd rule). */
function inside(x, y, polygon) {
  let within = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at, at += 1) {
    const [[ax, ay], [bx, by]] = [polygon[at], polygon[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}
