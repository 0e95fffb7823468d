// Trim editor: a dialog that shows one subclip, with stills of its first and last frame, and sets in and out by frames.

import { api } from '../../core/api.js';
import { element, overlayHome } from '../../core/dom.js';
import { addKeys } from '../../core/keys.js';
import { durationTimecode, frameFromText, rateText, timecodeAt } from '../../core/timecode.js';
import { attempt, toast } from '../../core/toast.js';
import { FrameDeck } from '../../player/frame_deck.js';
import { editState } from '../edit_state.js';
import { buildControls, trimKeys } from './controls.js';
import { TrimRange } from './range.js';
import { TrimStills } from './stills.js';
import { TrimStrip } from './strip.js';

const SAVE_MILLISECONDS = 500;
const AROUND_SECONDS = 1;
const MOST_MARGIN = 10;

/** @typedef {import('../../core/types.js').Subclip} Subclip */

/** An open dialog. Its elements are made by `buildControls`. */
export class TrimEditor {
  /**
   * @param {Subclip[]} clips Subclips to walk through with Up and Down.
   * @param {number} at Index of the first one.
   * @param {object} options
   * @param {number} options.collection
   * @param {import('../edits.js').Edits} options.edits
   * @param {(id: number) => void} options.onClose Called with the subclip that was shown last.
   */
  constructor(clips, at, { collection, edits, onClose }) {
    this.clips = clips;
    this.collection = collection;
    this.edits = edits;
    this.onClose = onClose;
    buildControls(this);
    this.deck = new FrameDeck(this.video);
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
      drag: (which, index) => this.move(which, index),
      slip: (first, last, frames) => {
        this.range.slip(first, last, frames);
        this.deck.show(this.range.first);
      },
      release: () => this.range.emit('commit'),
      widen: (side) => attempt(() => this.range.widen(side)),
    });
    this.stripPlace.replaceWith(this.strip.element);
    this.stills = new TrimStills(this.deck, this.range, this.stage, this.codes, { go: (which) => this.goTo(which) });
    this.stillsPlace.replaceWith(this.stills.element);
    this.deck.addEventListener('frame', () => this.drawTime());
    this.deck.addEventListener('state', () => this.drawState());
    this.range.addEventListener('change', () => this.drawRange());
    this.range.addEventListener('commit', () => this.commit());
    this.onEdits = () => this.drawSaved();
    edits.addEventListener('change', this.onEdits);
    this.removeKeys = addKeys('Trim', trimKeys(this), { modal: true });
    // Escape leaves a field first. Without this the dialog would close as well.
    this.onEscape = (event) =>
      event.key === 'Escape' && event.target.matches?.('.ps-code-input') && event.preventDefault();
    window.addEventListener('keydown', this.onEscape, true);
    this.before = document.activeElement;
    overlayHome().append(this.dialog);
    this.dialog.showModal();
    this.dialog.focus();
    this.open(clips[at].id);
  }

  get clip() {
    return this.clips.find((clip) => clip.id === this.id);
  }

  async open(id) {
    this.flush();
    this.id = id;
    const { clip } = this;
    const at = this.clips.indexOf(clip);
    this.title.textContent = clip.name || clip.title || clip.fileName;
    this.title.title = clip.path;
    this.place.textContent = clip.fileName;
    this.count.textContent = `${at + 1} of ${this.clips.length}`;
    this.dialog.dataset.clip = String(id);
    delete this.dialog.dataset.ready;
    this.stills.clear();
    this.video.poster = clip.poster ?? '';
    this.range.info = null;
    this.enable(false);
    if (!clip.segment) {
      this.deck.unload();
      this.deck.fail(
        'This video is no longer in the library, so it cannot be trimmed here. Its in and out points are kept; index its folder again to go on.',
      );
      this.drawGiven(clip);
      return;
    }
    const span = clip.end - clip.start;
    const margin = Math.min(MOST_MARGIN, Math.max(2, span));
    const info = await attempt(() =>
      this.deck.load(clip.segment, { from: clip.start - margin, to: clip.end + margin }),
    );
    if (!info || this.id !== id || this.deck.info !== info) return;
    const entry = this.edits.of(id, 'range');
    this.range.take(info, entry?.value ?? this.clip);
    this.place.textContent = `${info.name} · ${info.width}×${info.height} · ${rateText(this.deck.rate)} frames a second${info.timecode ? ` · starts at ${info.timecode}` : ''} · ${info.folder}`;
    if (this.deck.status !== 'ready') {
      this.drawGiven(this.clip);
      return;
    }
    this.deck.show(this.range.first);
    await attempt(() => this.range.reach(this.range.to));
    if (this.id !== id) return;
    if (!this.range.able)
      toast('The frames of this file could not be read, so it cannot be trimmed.', { kind: 'error' });
    this.enable(this.range.able);
    this.drawRange();
    this.drawTime();
    const around = await api(`/api/neighbours/${clip.segment}?before=40&after=40`).catch(() => null);
    if (this.id !== id) return;
    this.cuts = around?.items ?? [];
    this.strip.drawCuts(this.cuts);
    this.dialog.dataset.ready = 'yes';
  }

  enable(able) {
    for (const each of [...this.cutButtons, this.undoButton, this.code, this.codes.in, this.codes.out])
      each.disabled = !able;
    this.dialog.classList.toggle('ps-trim-fixed', !able);
  }

  /**
   * Take over a change of the collection: another tab may have trimmed, or taken out, the subclip that is open.
   *
   * @param {Subclip[]} clips
   */
  update(clips) {
    const gone = !clips.some((clip) => clip.id === this.id);
    const before = this.clip;
    const at = this.clips.indexOf(before);
    this.clips = clips;
    if (gone) {
      if (!clips.length) {
        this.dialog.close();
        return;
      }
      toast('The subclip that was open here was taken out in another tab');
      this.open(clips[Math.min(at, clips.length - 1)].id);
      return;
    }
    const { clip } = this;
    this.count.textContent = `${clips.indexOf(clip) + 1} of ${clips.length}`;
    this.title.textContent = clip.name || clip.title || clip.fileName;
    const moved = before.start_pts !== clip.start_pts || before.end_pts !== clip.end_pts;
    const ours = clip.start_pts === this.range.start_pts && clip.end_pts === this.range.end_pts;
    if (moved && !ours && !this.edits.of(this.id, 'range') && !this.timer && this.range.info) {
      this.range.remember();
      this.range.set(clip);
      toast('In and out were changed in another tab', { action: { label: 'Undo', run: () => this.undo() } });
    }
  }

  // Moving

  free(run) {
    this.loop(false);
    run();
  }

  step(frames) {
    const which = this.strip.focused;
    if (!which) {
      this.deck.stop = null;
      this.deck.step(frames);
      this.loadNearEdge();
      return;
    }
    this.deck.pause();
    this.range.remember();
    this.range.nudge(which, frames);
    this.goTo(which);
    this.range.emit('commit');
    this.loadNearEdge();
  }

  /** Load more frames near the edge of those that are known. */
  loadNearEdge() {
    const { deck, range } = this;
    const room = 12 / deck.rate;
    if (deck.now < deck.first + room) attempt(() => range.widen('earlier'));
    else if (deck.now > deck.last - room) attempt(() => range.widen('later'));
  }

  move(which, index) {
    if (which === 'in') this.range.setIn(index);
    else this.range.setOut(index);
    this.deck.show(index);
  }

  mark(which) {
    if (!this.range.able || this.deck.status !== 'ready') return;
    this.range.remember();
    if (which === 'in') this.range.setIn(this.deck.index);
    else this.range.setOut(this.deck.index);
    this.range.emit('commit');
  }

  undo() {
    if (!this.range.undo()) toast('Nothing to undo here', { seconds: 1.5 });
  }

  goTo(which) {
    if (!this.range.info) return;
    this.loop(false);
    this.deck.pause();
    this.deck.show(which === 'in' ? this.range.first : this.range.last);
  }

  async typed(input, which) {
    const { deck, range } = this;
    const rate = deck.rate;
    const now = which === 'now' ? deck.numberOf(deck.now) : deck.numberOf(which === 'in' ? range.from : range.to);
    const frame = frameFromText(input.value, { now, rate, timecode: range.info?.timecode ?? '' });
    const seconds = frame === null ? null : frame / rate;
    const last = range.info.duration;
    if (seconds === null || seconds < 0 || seconds > last + 1e-3 || (which !== 'out' && seconds > last - 1e-3)) {
      input.setAttribute('aria-invalid', 'true');
      toast(
        seconds === null
          ? `“${input.value}” is no time code; 01:02:03:04, 12:05, +10 or #120 are`
          : 'That is outside the video',
        { kind: 'error', seconds: 4 },
      );
      input.select();
      return;
    }
    deck.pause();
    await attempt(() => range.reach(seconds));
    // Out is the frame after the last one. Numbers are rounded times: hence almost half a frame of tolerance.
    const index = deck.indexAt(seconds + 0.4 / rate) - (which === 'out' ? 1 : 0);
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

  loop(on) {
    this.deck.loop = on;
    if (!on) this.deck.stop = null;
    this.rangeButton.setAttribute('aria-pressed', String(on));
  }

  get stretch() {
    return { from: this.deck.timeOf(this.range.first), to: this.range.to };
  }

  toggleRange() {
    if (this.deck.status !== 'ready') return;
    if (this.deck.loop && !this.deck.paused) {
      this.deck.pause();
      this.loop(false);
      return;
    }
    this.loop(true);
    this.deck.stop = this.stretch;
    this.deck.pause();
    this.deck.show(this.range.first);
    this.deck.play();
  }

  playAround(which) {
    if (this.deck.status !== 'ready') return;
    const at = which === 'in' ? this.range.from : this.range.to;
    this.loop(false);
    this.deck.pause();
    const { first, last } = this.deck;
    const from = Math.max(first, at - AROUND_SECONDS);
    this.deck.seekTo(from);
    this.deck.stop = { from, to: Math.min(last, at + AROUND_SECONDS) };
    this.deck.play();
  }

  walk(by) {
    const at = this.clips.findIndex((clip) => clip.id === this.id) + by;
    if (at < 0 || at >= this.clips.length)
      toast(by < 0 ? 'This is the first subclip' : 'This is the last subclip', { seconds: 1.5 });
    else this.open(this.clips[at].id);
  }

  // Saving

  commit() {
    const { clip } = this;
    if (!clip || !this.range.info) return;
    this.edits.put({ ...clip, collection: this.collection, label: this.title.textContent }, 'range', this.range.value);
    clearTimeout(this.timer);
    const { id } = this;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.edits.send(id);
    }, SAVE_MILLISECONDS);
    this.drawSaved();
  }

  flush() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.edits.send(this.id);
  }

  drawSaved() {
    const entry = this.id ? this.edits.of(this.id, 'range') : null;
    const token = JSON.stringify(entry);
    if (token === this.savedToken) return;
    if (!entry && this.savedToken && this.savedToken !== 'null' && this.range.info && this.edits.known.has(this.id)) {
      // The edit has ended: it was saved, or given up for what another tab wrote.
      const known = this.edits.known.get(this.id);
      if (known.start_pts !== this.range.start_pts || known.end_pts !== this.range.end_pts) this.range.set(known);
    }
    this.savedToken = token;
    const line = entry ? editState(entry, this.edits) : null;
    this.saved.replaceChildren(line ?? element('span', { class: 'ps-muted', text: entry ? 'Saving …' : 'Saved' }));
    this.dialog.dataset.saved = entry ? entry.state : 'saved';
  }

  // Drawing

  /** Return the frame number of a point as edit lists count: out is at least one frame after in. */
  numberOf(which) {
    const from = this.deck.numberOf(this.range.from);
    return which === 'in' ? from : Math.max(from + 1, this.deck.numberOf(this.range.to));
  }

  describe(which) {
    const { deck, range } = this;
    const frame = this.numberOf(which);
    return `${timecodeAt(frame, deck.rate, range.info.timecode)}, frame ${frame}`;
  }

  drawRange(force = false) {
    const { deck, range } = this;
    if (!range.info) return;
    const { timecode } = range.info;
    for (const which of ['in', 'out']) {
      const number = this.numberOf(which);
      if (force || document.activeElement !== this.codes[which])
        this.codes[which].value = timecodeAt(number, deck.rate, timecode);
      this.stills.figures[which].frame.textContent = `frame ${number}`;
    }
    this.stills.update();
    const frames = this.numberOf('out') - this.numberOf('in');
    this.length.textContent = `length ${durationTimecode(frames, deck.rate, timecode)} · ${frames} ${frames === 1 ? 'frame' : 'frames'}`;
    Object.assign(this.dialog.dataset, { in: String(this.numberOf('in')), out: String(this.numberOf('out')) });
    if (deck.loop && deck.stop) deck.stop = this.stretch;
    this.strip.draw((which) => this.describe(which));
    if (this.cuts) this.strip.drawCuts(this.cuts);
    this.drawSaved();
  }

  /** Show in and out as the collection has them, where nothing can be trimmed. */
  drawGiven(clip) {
    const rate = clip.rate[0] / clip.rate[1];
    for (const which of ['in', 'out']) {
      const frame = clip[`${which}_frame`];
      this.codes[which].value = timecodeAt(frame, rate, clip.timecode);
      this.stills.figures[which].frame.textContent = `frame ${frame}`;
    }
    const frames = clip.out_frame - clip.in_frame;
    this.length.textContent = `length ${durationTimecode(frames, rate, clip.timecode)} · ${frames} frames`;
    this.code.value = '';
    this.frame.textContent = '';
    this.saved.replaceChildren();
    this.drawState();
  }

  drawTime(force = false) {
    const { deck } = this;
    if (!deck.info || !this.range.info) return;
    const frame = deck.numberOf(deck.now);
    if (force || document.activeElement !== this.code)
      this.code.value = timecodeAt(frame, deck.rate, deck.info.timecode);
    this.frame.textContent = `frame ${frame}`;
    this.dialog.dataset.frame = String(frame);
    this.strip.drawHead();
  }

  drawState() {
    const { deck } = this;
    if (deck.paused && this.stills?.stale.length) this.stills.update();
    this.playButton.firstChild.textContent = deck.paused ? 'Play' : 'Pause';
    this.status.textContent = deck.status === 'loading' ? deck.message || 'Loading …' : deck.message;
    this.status.hidden = deck.status === 'ready' || deck.status === 'empty';
    this.status.classList.toggle('ps-error', deck.status === 'failed');
    if (deck.status === 'ready') this.video.removeAttribute('poster'); // from here on only frames are shown
    this.dialog.dataset.state = deck.status === 'ready' ? (deck.paused ? 'paused' : 'playing') : deck.status;
    for (const each of [this.playButton, this.rangeButton]) each.disabled = deck.status !== 'ready';
    if (deck.status === 'failed' && deck.info && !this.range.info) this.drawGiven(this.clip);
  }

  close() {
    this.flush();
    const { id } = this;
    this.id = null;
    this.deck.unload();
    this.stills.clear();
    this.removeKeys();
    window.removeEventListener('keydown', this.onEscape, true);
    this.edits.removeEventListener('change', this.onEdits);
    this.dialog.remove();
    this.before?.focus?.({ preventScroll: true });
    this.onClose?.(id);
  }
}
