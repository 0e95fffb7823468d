// Trim editor: a dialog that shows one subclip, with stills of its first and last frame, and sets in and out by frames.

import { api } from '../../core/api.js';
import { element, overlayHome } from '../../core/dom.js';
import { addKeys } from '../../core/keys.js';
import { rateText, timecodeAt } from '../../core/timecode.js';
import { attempt, toast } from '../../core/toast.js';
import { FrameDeck } from '../../player/frame_deck.js';
import { MomentLine } from '../../player/moment_line.js';
import { editState } from '../edit_state.js';
import { clipName } from '../names.js';
import { buildControls, trimKeys } from './controls.js';
import { around, frameNumbers, lengthText, typedTime } from './frame_numbers.js';
import { TrimRange } from './range.js';
import { TrimStills } from './stills.js';
import { TrimStrip } from './strip.js';
import { sameRange } from './undo.js';

const SAVE_MILLISECONDS = 500;
const MOST_MARGIN_SECONDS = 10;
const NO_MOMENTS = 'Moments are those of a search: search for something by the picture in this tab first.';

/** @typedef {import('../../core/types.js').Subclip} Subclip */
/** @typedef {import('../../core/types.js').Neighbour} Neighbour */
/** @typedef {import('./trimming.js').Point} Point */

/** @type {readonly Point[]} */
const POINTS = ['in', 'out'];

/** An open dialog. */
export class TrimEditor {
  /** @type {Neighbour[]} */
  cuts = []; // segments around the subclip
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer = undefined; // set while a change waits to be sent
  savedToken = ''; // what `drawSaved` has drawn
  closed = false;

  /**
   * @param {Subclip[]} clips Subclips to walk through with Up and Down.
   * @param {number} at Index of the first one.
   * @param {object} options
   * @param {number} options.collection
   * @param {import('../edits.js').Edits} options.edits
   * @param {(id: number) => void} options.onClose Called with the subclip that was shown last.
   * @param {import('../../core/moments.js').Moments | null} [options.moments] Those of the tab's search.
   */
  constructor(clips, at, { collection, edits, onClose, moments = null }) {
    this.clips = clips;
    this.clip = clips[at];
    this.collection = collection;
    this.edits = edits;
    this.onClose = onClose;
    this.moment = new MomentLine(moments, (seconds) => {
      const { deck } = this;
      return timecodeAt(deck.numberOf(seconds), deck.rate, this.range.info?.timecode ?? '');
    });
    this.parts = buildControls(this);
    this.dialog = this.parts.dialog;
    this.deck = new FrameDeck(this.parts.video);
    this.range = new TrimRange(this.deck);
    this.strip = new TrimStrip(this.range, {
      scrub: (seconds) => {
        this.deck.stop = null;
        this.deck.pause();
        this.deck.seekTo(seconds);
      },
      grab: () => {
        this.deck.pause();
        this.range.remember();
      },
      drag: (point, index) => this.move(point, index),
      slip: (from, frames) => {
        this.range.slip(from, frames);
        this.deck.show(this.range.first);
      },
      release: () => this.range.emit('commit'),
      widen: (side) => void attempt(() => this.range.widen(side)),
    });
    this.parts.stripPlace.replaceWith(this.strip.element);
    this.stills = new TrimStills(this.deck, this.range, this.parts.stage, this.parts.codes, {
      go: (point) => void this.goTo(point), // shows its errors itself
    });
    this.parts.stillsPlace.replaceWith(this.stills.element);
    this.deck.addEventListener('frame', () => this.drawTime());
    this.deck.addEventListener('state', () => this.drawState());
    this.range.addEventListener('change', () => this.drawRange());
    this.range.addEventListener('commit', () => this.commit());
    this.onEdits = () => this.drawSaved();
    edits.addEventListener('change', this.onEdits);
    this.removeKeys = addKeys('Trim', trimKeys(this), { modal: true });
    // Escape leaves a field first. Without this the dialog would close as well.
    this.onEscape = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && event.target instanceof Element && event.target.matches('.ps-code-input'))
        event.preventDefault();
    };
    window.addEventListener('keydown', this.onEscape, true);
    this.before = document.activeElement;
    overlayHome().append(this.dialog);
    this.dialog.showModal();
    this.dialog.focus();
    void this.open(this.clip); // shows its errors itself
  }

  /**
   * Show a subclip.
   *
   * @param {Subclip} clip
   */
  async open(clip) {
    this.flush();
    this.clip = clip;
    this.moment.clear();
    const { parts } = this;
    this.drawTitle();
    parts.title.title = clip.path;
    parts.place.textContent = clip.fileName;
    this.dialog.dataset.clip = String(clip.id);
    delete this.dialog.dataset.ready;
    this.stills.clear();
    parts.video.poster = clip.poster ?? '';
    this.range.info = null;
    this.cuts = [];
    this.savedToken = '';
    this.enable(false);
    if (clip.segment === null) {
      this.deck.unload();
      this.deck.fail(
        'This video is no longer in the library, so it cannot be trimmed here. Its in and out points are kept; index its folder again to trim it.',
      );
      this.drawGiven();
      return;
    }
    const { segment } = clip;
    const margin = Math.min(MOST_MARGIN_SECONDS, Math.max(2, clip.end - clip.start));
    const info = await attempt(() => this.deck.load(segment, { from: clip.start - margin, to: clip.end + margin }));
    if (!this.shows(clip)) return;
    if (!info || this.deck.info !== info) {
      if (this.deck.status === 'failed') this.drawGiven();
      return;
    }
    this.range.take(info, this.edits.of(clip.id, 'range')?.value ?? this.clip);
    parts.place.textContent = `${info.name} · ${info.width}×${info.height} · ${rateText(this.deck.rate)} fps${info.timecode ? ` · starts at ${info.timecode}` : ''} · ${info.folder}`;
    if (this.deck.status !== 'ready') {
      this.drawGiven();
      return;
    }
    this.deck.show(this.range.first);
    await attempt(() => this.range.reach(this.range.to));
    if (!this.shows(clip)) return;
    if (!this.range.able)
      toast('The frames of this file could not be read, so it cannot be trimmed.', { kind: 'error' });
    this.enable(this.range.able);
    this.drawRange();
    this.drawTime();
    const cuts = await neighbours(segment);
    if (!this.shows(clip)) return;
    this.cuts = cuts;
    this.strip.drawCuts(this.cuts);
    this.dialog.dataset.ready = 'yes';
  }

  /**
   * Return whether a subclip is still the one that is shown, after something was waited for.
   *
   * @param {Subclip} clip Perhaps as it was then.
   */
  shows(clip) {
    return !this.closed && this.clip.id === clip.id;
  }

  /** @param {boolean} able */
  enable(able) {
    for (const each of this.parts.trimming) each.disabled = !able;
    this.dialog.classList.toggle('ps-trim-fixed', !able);
  }

  /** Place of the subclip among those to walk through. */
  get at() {
    return this.clips.findIndex(({ id }) => id === this.clip.id);
  }

  /**
   * Take over a change of the collection: another tab may have trimmed, or taken out, the subclip that is open.
   *
   * @param {Subclip[]} clips
   */
  update(clips) {
    const { at, clip: before } = this;
    const clip = clips.find(({ id }) => id === before.id);
    this.clips = clips;
    if (!clip) {
      if (!clips.length) {
        this.dialog.close();
        return;
      }
      toast('The subclip open here was removed in another tab');
      void this.open(clips[Math.min(at, clips.length - 1)]); // shows its errors itself
      return;
    }
    this.clip = clip;
    this.drawTitle();
    const theirs = !sameRange(before, clip) && !sameRange(this.range, clip);
    if (theirs && !this.edits.of(clip.id, 'range') && !this.timer && this.range.info) {
      this.range.remember();
      this.range.set(clip);
      toast('In and out were changed in another tab', { action: { label: 'Undo', run: () => this.undo() } });
    }
  }

  drawTitle() {
    const { clip, parts } = this;
    parts.title.textContent = clipName(clip);
    parts.count.textContent = `${this.at + 1} of ${this.clips.length}`;
  }

  // Moving

  /**
   * Play or step without the bounds of the range.
   *
   * @param {() => void} run
   */
  free(run) {
    this.loop(false);
    run();
  }

  /**
   * Step by frames: the point whose handle has the focus, or else the frame that is shown.
   *
   * @param {number} frames
   */
  step(frames) {
    const point = this.strip.focused;
    if (!point) {
      this.deck.stop = null;
      this.deck.step(frames);
      this.loadNearEdge();
      return;
    }
    this.deck.pause();
    this.range.remember();
    this.range.nudge(point, frames);
    this.loop(false);
    this.deck.show(this.range.frameOf(point));
    this.range.emit('commit');
    this.loadNearEdge();
  }

  /** Load more frames near the edge of those that are known. */
  loadNearEdge() {
    const { deck, range } = this;
    const room = 12 / deck.rate;
    if (deck.now < deck.first + room) void attempt(() => range.widen('earlier'));
    else if (deck.now > deck.last - room) void attempt(() => range.widen('later'));
  }

  /**
   * Move a point to a frame, and show it.
   *
   * @param {Point} point
   * @param {number} index
   */
  move(point, index) {
    this.range.move(point, index);
    this.deck.show(this.range.frameOf(point));
  }

  /**
   * Set a point at the frame that is shown. Shows its errors itself.
   *
   * @param {Point} point
   */
  async mark(point) {
    const { clip, deck, range } = this;
    if (!range.able || deck.status !== 'ready') return;
    const seconds = deck.times.timeOf(deck.index);
    if (point === 'out' && deck.index > range.trimming.most) {
      await attempt(() => range.widen('later'));
      if (!this.shows(clip) || !range.able || deck.times.indexOfStart(seconds) > range.trimming.most) return;
    }
    range.remember();
    range.move(point, deck.times.indexOfStart(seconds));
    range.emit('commit');
  }

  /** Set in and out to the moment that answers the tab's search. Shows its errors itself. */
  async toMoment() {
    const { clip, deck, range } = this;
    if (!range.able || clip.segment === null) return;
    if (!this.moment.moments) toast(NO_MOMENTS);
    const moment = this.moment.moment ?? (await this.moment.find(clip.segment));
    if (!moment || !this.shows(clip) || !range.able) return;
    await attempt(() => range.reach(moment.start_seconds));
    await attempt(() => range.reach(moment.end_seconds));
    if (!this.shows(clip) || !range.able) return;
    range.remember();
    range.set(moment);
    range.emit('commit');
    deck.pause();
    deck.show(range.first);
  }

  undo() {
    if (!this.range.undo()) toast('Nothing to undo here', { seconds: 1.5 });
  }

  /**
   * Show the first or the last frame of the range. Shows its errors itself.
   *
   * @param {Point} point
   */
  async goTo(point) {
    const { clip, deck, range } = this;
    if (!range.info) return;
    this.loop(false);
    deck.pause();
    if (!range.reaches(point)) {
      await attempt(() => range.reach(range.secondsOf(point)));
      if (!this.shows(clip) || !range.info) return;
    }
    deck.show(range.frameOf(point));
  }

  /**
   * Move a point, or go, to the time code that was typed. Shows its errors itself.
   *
   * @param {HTMLInputElement} input
   * @param {Point | 'now'} which
   */
  async typed(input, which) {
    const { clip, deck, range } = this;
    const { timecode, duration } = range.source;
    const { rate } = deck;
    const now = which === 'now' ? deck.numberOf(deck.now) : this.numbers[which];
    const { seconds, problem } = typedTime(input.value, which, { now, rate, timecode, duration });
    if (seconds === null) {
      input.setAttribute('aria-invalid', 'true');
      toast(problem, { kind: 'error', seconds: 4 });
      input.select();
      return;
    }
    deck.pause();
    await attempt(() => range.reach(seconds));
    if (!this.shows(clip) || !range.info) return;
    // Out is the frame after the last one. Numbers are rounded times: hence almost half a frame of tolerance.
    const index = deck.times.indexAt(seconds + 0.4 / rate) - (which === 'out' ? 1 : 0);
    if (which === 'now') {
      deck.stop = null;
      deck.show(index);
    } else {
      range.remember();
      this.move(which, Math.max(0, index));
      range.emit('commit');
    }
    this.drawRange(true);
    this.drawTime(true);
    input.select();
  }

  // Playing

  /** @param {boolean} on */
  loop(on) {
    this.deck.loop = on;
    if (!on) this.deck.stop = null;
    this.parts.rangeButton.setAttribute('aria-pressed', String(on));
  }

  get stretch() {
    return { from: this.deck.times.timeOf(this.range.first), to: this.range.to };
  }

  toggleRange() {
    const { deck } = this;
    if (deck.status !== 'ready' || !this.range.info) return;
    if (deck.loop && !deck.paused) {
      deck.pause();
      this.loop(false);
      return;
    }
    this.loop(true);
    deck.stop = this.stretch;
    deck.pause();
    deck.show(this.range.first);
    void deck.play(); // shows its errors itself
  }

  /** @param {Point} point */
  playAround(point) {
    const { deck } = this;
    if (deck.status !== 'ready' || !this.range.info) return;
    const bounds = around(this.range.secondsOf(point), deck);
    this.loop(false);
    deck.pause();
    deck.seekTo(bounds.from);
    deck.stop = bounds;
    void deck.play(); // shows its errors itself
  }

  /**
   * Show another subclip.
   *
   * @param {1 | -1} by
   */
  walk(by) {
    const next = this.clips[this.at + by];
    if (next)
      void this.open(next); // shows its errors itself
    else toast(by < 0 ? 'This is the first subclip' : 'This is the last subclip', { seconds: 1.5 });
  }

  // Saving

  commit() {
    const { clip } = this;
    if (!this.range.info) return;
    const label = this.parts.title.textContent ?? '';
    this.edits.put({ ...clip, collection: this.collection, label }, 'range', this.range.value);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.edits.send(clip.id); // never fails
    }, SAVE_MILLISECONDS);
    this.drawSaved();
  }

  flush() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.edits.send(this.clip.id); // never fails
  }

  drawSaved() {
    const { id } = this.clip;
    const entry = this.edits.of(id, 'range');
    const token = entry ? JSON.stringify(entry) : 'saved';
    if (token === this.savedToken) return;
    const known = this.edits.known.get(id);
    // Where an edit has ended, it was saved, or given up for what another tab wrote.
    if (!entry && this.savedToken && this.range.info && known && !sameRange(known, this.range)) this.range.set(known);
    this.savedToken = token;
    const line = entry ? editState(entry, this.edits) : null;
    this.parts.saved.replaceChildren(
      line ?? element('span', { class: 'ps-muted', text: entry ? 'Saving …' : 'Saved' }),
    );
    this.dialog.dataset.saved = entry ? entry.state : 'saved';
  }

  // Drawing

  /** Frame numbers of in and out. */
  get numbers() {
    return frameNumbers(this.range, this.deck.rate);
  }

  drawRange(force = false) {
    const { deck, parts, range } = this;
    if (!range.info) return;
    const { timecode } = range.info;
    const { numbers } = this;
    for (const point of POINTS) {
      if (force || document.activeElement !== parts.codes[point])
        parts.codes[point].value = timecodeAt(numbers[point], deck.rate, timecode);
      this.stills.figures[point].frame.textContent = `frame ${numbers[point]}`;
    }
    this.stills.update();
    parts.length.textContent = lengthText(numbers, deck.rate, timecode);
    Object.assign(this.dialog.dataset, { in: String(numbers.in), out: String(numbers.out) });
    if (deck.loop && deck.stop) deck.stop = this.stretch;
    this.strip.draw((point) => `${timecodeAt(numbers[point], deck.rate, timecode)}, frame ${numbers[point]}`);
    this.strip.drawCuts(this.cuts);
    this.drawSaved();
  }

  /** Show in and out as the collection has them, where nothing can be trimmed. */
  drawGiven() {
    const { clip, parts } = this;
    const rate = clip.rate[0] / clip.rate[1];
    const numbers = { in: clip.in_frame, out: clip.out_frame };
    for (const point of POINTS) {
      parts.codes[point].value = timecodeAt(numbers[point], rate, clip.timecode);
      this.stills.figures[point].frame.textContent = `frame ${numbers[point]}`;
    }
    parts.length.textContent = lengthText(numbers, rate, clip.timecode);
    parts.code.value = '';
    parts.frame.textContent = '';
    parts.saved.replaceChildren();
    this.savedToken = 'saved';
    this.drawState();
  }

  drawTime(force = false) {
    const { deck, parts } = this;
    if (!deck.info || !this.range.info) return;
    const frame = deck.numberOf(deck.now);
    if (force || document.activeElement !== parts.code)
      parts.code.value = timecodeAt(frame, deck.rate, deck.info.timecode);
    parts.frame.textContent = `frame ${frame}`;
    this.dialog.dataset.frame = String(frame);
    this.strip.drawHead();
  }

  drawState() {
    const { deck, parts } = this;
    if (deck.paused && this.stills.stale.length) this.stills.update();
    parts.playText.textContent = deck.paused ? 'Play' : 'Pause';
    parts.status.textContent = deck.status === 'loading' ? deck.message || 'Loading …' : deck.message;
    parts.status.hidden = deck.status === 'ready' || deck.status === 'empty';
    parts.status.classList.toggle('ps-error', deck.status === 'failed');
    if (deck.status === 'ready') parts.video.removeAttribute('poster'); // from here on only frames are shown
    this.dialog.dataset.state = deck.status === 'ready' ? (deck.paused ? 'paused' : 'playing') : deck.status;
    for (const each of [parts.playButton, parts.rangeButton]) each.disabled = deck.status !== 'ready';
  }

  close() {
    this.moment.clear();
    this.flush();
    this.closed = true;
    this.deck.unload();
    this.stills.clear();
    this.removeKeys();
    window.removeEventListener('keydown', this.onEscape, true);
    this.edits.removeEventListener('change', this.onEdits);
    this.dialog.remove();
    if (this.before instanceof HTMLElement) this.before.focus({ preventScroll: true });
    this.onClose(this.clip.id);
  }
}

/**
 * Return the segments around one. They only mark cuts on the strip: none where the server cannot tell them.
 *
 * @param {number} segment
 * @returns {Promise<Neighbour[]>}
 */
async function neighbours(segment) {
  try {
    /** @type {{items: Neighbour[]}} */
    const { items } = await api(`/api/neighbours/${segment}?before=40&after=40`);
    return items;
  } catch {
    return [];
  }
}
