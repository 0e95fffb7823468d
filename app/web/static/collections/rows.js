// Rows of a collection's subclips: selection, order by keys and dragging, fields for names and notes, previews.

import { element, setText } from '../core/dom.js';
import { onControl } from '../core/keys.js';
import { MAX_NAME_LENGTH, MAX_NOTE_LENGTH } from '../core/limits.js';
import { durationText } from '../core/timecode.js';
import { startDrag } from './drag.js';
import { editState } from './edit_state.js';
import { clipTimes } from './times.js';

const HOVER_MILLISECONDS = 120;

/** @typedef {import('../core/types.js').Subclip} Subclip */

/**
 * Callbacks of the rows.
 *
 * @typedef {object} RowActions
 * @property {(id: number) => void} trim
 * @property {(ids: number[]) => void} takeOut
 * @property {(ids: number[], after: number | null) => void} move `after`: the subclip before them; null for the first place.
 * @property {() => void} undo
 * @property {() => void} selected The selection has changed.
 * @property {(entry: import('./edits.js').Edit) => void} escaped An edit was dropped by Escape.
 */

/** A list of rows, one a subclip. */
export class ClipRows {
  /**
   * @param {import('./edits.js').Edits} edits
   * @param {RowActions} actions
   */
  constructor(edits, actions) {
    this.edits = edits;
    this.actions = actions;
    /** @type {Subclip[]} */
    this.clips = [];
    /** @type {Map<number, HTMLElement>} */
    this.rows = new Map(); // by id
    /** @type {Set<number>} */
    this.chosen = new Set(); // ids
    /** @type {number | null} */
    this.current = null; // id of the row that keys apply to
    /** @type {number | null} */
    this.anchor = null; // id of the row that a range of rows is selected from
    this.dragged = false; // whether a drag is under way
    /** @type {number | null} */
    this.collection = null; // id of the collection that is shown
    this.list = element('div', {
      class: 'ps-clips',
      role: 'grid',
      'aria-label': 'Subclips',
      'aria-multiselectable': 'true',
    });
    this.list.addEventListener('click', (event) => this.click(event));
    this.list.addEventListener('dblclick', (event) => {
      const row = event.target.closest('.ps-clip');
      if (row && !event.target.closest('input, textarea, button')) this.actions.trim(Number(row.dataset.clip));
    });
    this.list.addEventListener('keydown', (event) => this.ctrlKeys(event));
    this.list.addEventListener('focusin', (event) => this.focused(event));
    this.list.addEventListener('pointerdown', (event) => startDrag(this, event));
    this.list.addEventListener('pointerover', (event) => this.hover(event.target.closest('.ps-clip-poster')));
    this.list.addEventListener('pointerleave', () => this.hover(null));
    // Handled before the page's own keys, which take the focus away on Escape: that would save what Escape should drop.
    this.onEscape = (event) => event.key === 'Escape' && this.escape(event.target);
    window.addEventListener('keydown', this.onEscape, true);
  }

  remove() {
    window.removeEventListener('keydown', this.onEscape, true);
    clearTimeout(this.timer);
  }

  // Rows

  /**
   * Show these subclips. Focus, selection and what is being typed stay.
   *
   * @param {Subclip[]} clips
   */
  update(clips) {
    this.clips = clips;
    const ids = new Set(clips.map((clip) => clip.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      if (row.contains(document.activeElement)) this.lost = row.dataset.at;
      row.remove();
      this.rows.delete(id);
      this.chosen.delete(id);
    }
    if (!ids.has(this.current)) this.current = clips[Math.min(this.at ?? 0, clips.length - 1)]?.id ?? null;
    if (!ids.has(this.anchor)) this.anchor = this.current;
    clips.forEach((clip, at) => {
      if (!this.rows.has(clip.id)) this.rows.set(clip.id, this.row(clip));
      this.fill(this.rows.get(clip.id), clip, at);
    });
    this.place(clips.map((clip) => this.rows.get(clip.id)));
    this.at = clips.findIndex((clip) => clip.id === this.current);
    this.list.setAttribute('aria-rowcount', String(clips.length));
    if (this.lost !== undefined) {
      this.rows.get(this.current)?.focus();
      this.lost = undefined;
    }
    this.drawChosen();
  }

  /** Put rows in order without ever moving the one that has the focus: it would lose it, and with it what is being typed. */
  place(rows) {
    const there = [...this.list.querySelectorAll(':scope > .ps-clip')];
    if (there.length === rows.length && rows.every((row, at) => row === there[at])) return;
    const held = rows.find((row) => row.contains(document.activeElement));
    const at = held ? rows.indexOf(held) : rows.length;
    rows.forEach((row, number) => {
      if (number < at) this.list.insertBefore(row, held ?? null);
      else if (number > at) this.list.append(row);
    });
  }

  row(clip) {
    const button = (text, label, name) =>
      element('button', {
        class: 'ps-icon ps-row-button',
        type: 'button',
        tabindex: '-1',
        'aria-label': label,
        title: label,
        'data-action': name,
        text,
      });
    const cell = (name, ...children) => element('div', { class: `ps-clip-${name}`, role: 'gridcell' }, ...children);
    const written = (tag, field, label, more) =>
      element(tag, {
        class: `ps-field ps-field-${field}`,
        'aria-label': label,
        tabindex: '-1',
        'data-field': field,
        autocomplete: 'off',
        ...more,
        oninput: (event) => this.typed(event.target, clip.id),
        onblur: () => this.edits.send(clip.id),
        onkeydown: (event) => this.fieldKeys(event, clip.id),
      });
    return element(
      'div',
      { class: 'ps-clip', role: 'row', tabindex: '-1', 'data-clip': String(clip.id) },
      cell(
        'order',
        element('span', { class: 'ps-grip', 'aria-hidden': 'true', title: 'Drag to move' }),
        element('span', { class: 'ps-clip-number' }),
      ),
      cell(
        'poster',
        element('span', { class: 'ps-length' }),
        element('span', {
          class: 'ps-gone',
          text: 'file missing',
          title: 'The file is not there now; is its drive connected?',
          hidden: true,
        }),
      ),
      cell(
        'words',
        written('input', 'name', 'Name', { maxlength: MAX_NAME_LENGTH, spellcheck: 'false' }),
        element('div', { class: 'ps-clip-file ps-muted' }),
        written('textarea', 'note', 'Note', { maxlength: MAX_NOTE_LENGTH, rows: '1', placeholder: 'Note' }),
        element('div', { class: 'ps-clip-state', role: 'status' }),
      ),
      cell('in'),
      cell('out'),
      cell('span'),
      cell('actions', button('✂', 'Trim (Enter)', 'trim'), button('×', 'Take out (Delete)', 'take-out')),
    );
  }

  fill(row, clip, at) {
    const part = (name) => row.querySelector(`.ps-${name}`);
    row.dataset.at = String(at);
    row.setAttribute('aria-rowindex', String(at + 1));
    const times = clipTimes(clip);
    const title = clip.name || clip.title || clip.fileName;
    row.setAttribute(
      'aria-label',
      `${at + 1}, ${title}, in ${times.in.code}, out ${times.out.code}, ${times.length.frames} frames${clip.missing ? ', file not there now' : ''}`,
    );
    setText(part('clip-number'), String(at + 1));
    setText(part('clip-file'), clip.fileName);
    part('clip-file').title = clip.path;
    setText(part('length'), durationText(clip.end - clip.start));
    part('gone').hidden = !clip.missing;
    for (const [name, time] of [
      ['in', times.in],
      ['out', times.out],
      ['span', times.length],
    ])
      this.time(part(`clip-${name}`), name, time);
    this.poster(part('clip-poster'), clip);
    part('field-name').placeholder = clip.title || clip.fileName;
    for (const field of ['name', 'note']) this.drawField(row, clip, field);
    this.drawState(row, clip);
  }

  time(cell, name, { code, frames }) {
    if (cell.dataset.shown === `${code} ${frames}`) return;
    cell.dataset.shown = `${code} ${frames}`;
    const label = { in: 'In', out: 'Out', span: 'Length' }[name];
    cell.replaceChildren(
      element('span', { class: 'ps-small-label', text: label }),
      element('span', { class: 'ps-code', text: code }),
      element('span', {
        class: 'ps-frames ps-muted',
        text: name === 'span' ? `${frames} ${frames === 1 ? 'frame' : 'frames'}` : String(frames),
      }),
    );
  }

  poster(cell, clip) {
    if (cell.dataset.poster === String(clip.poster)) return;
    cell.dataset.poster = String(clip.poster);
    cell.querySelector('img')?.remove();
    if (clip.poster)
      cell.prepend(element('img', { src: clip.poster, alt: '', loading: 'lazy', decoding: 'async', draggable: false }));
  }

  /** Show a field: the edit that is not saved yet, else the server's value. */
  drawField(row, clip, field) {
    const input = row.querySelector(`.ps-field-${field}`);
    const entry = this.edits.of(clip.id, field);
    const value = entry ? entry.value : (clip[field] ?? '');
    if (input.value !== value) input.value = value;
    row.dataset[`${field}Empty`] = String(!value);
    if (field === 'note') fit(input);
  }

  drawState(row, clip) {
    const place = row.querySelector('.ps-clip-state');
    const entries = ['name', 'note'].map((field) => this.edits.of(clip.id, field)).filter(Boolean);
    const token = JSON.stringify(entries.map(({ field, state, message, theirs }) => [field, state, message, theirs]));
    if (place.dataset.token === token) return;
    place.dataset.token = token;
    place.replaceChildren(...entries.map((entry) => editState(entry, this.edits)).filter(Boolean));
  }

  /** Draw fields and states again, after edits have changed. */
  drawEdits() {
    for (const clip of this.clips) {
      const row = this.rows.get(clip.id);
      if (!row) continue;
      for (const field of ['name', 'note']) this.drawField(row, clip, field);
      this.drawState(row, clip);
    }
  }

  // Typing

  typed(input, id) {
    const clip = this.clips.find((each) => each.id === id);
    if (input.dataset.field === 'note') fit(input);
    this.rows.get(id).dataset[`${input.dataset.field}Empty`] = String(!input.value);
    if (clip)
      this.edits.put(
        { ...clip, collection: this.collection, label: clip.name || clip.title || clip.fileName },
        input.dataset.field,
        input.value,
      );
  }

  fieldKeys(event, id) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !(event.shiftKey && event.target.dataset.field === 'note')) {
      event.preventDefault();
      event.stopPropagation();
      this.focus(id);
    } else if (event.key === 'Tab' && !event.shiftKey && event.target.dataset.field === 'note') {
      const next = this.clips[this.clips.findIndex((clip) => clip.id === id) + 1];
      if (!next) return;
      event.preventDefault(); // to the next row's name, so that names can be written down the list without a mouse
      this.edit(next.id, 'name');
    }
  }

  escape(target) {
    if (!(target instanceof Element) || !target.matches('.ps-field') || !this.list.contains(target)) return;
    const id = Number(target.closest('.ps-clip').dataset.clip);
    const entry = this.edits.of(id, target.dataset.field);
    if (entry && entry.state === 'typed') {
      this.edits.drop(id, target.dataset.field);
      this.actions.escaped({ ...entry });
    }
    // The row takes the focus, so that keys keep working.
    queueMicrotask(() => this.focus(id));
  }

  edit(id, field) {
    const row = this.rows.get(id);
    if (!row) return;
    this.choose(id);
    const input = row.querySelector(`.ps-field-${field}`);
    input.focus();
    if (field === 'name') input.select();
    row.scrollIntoView({ block: 'nearest' });
  }

  // Selection

  focus(id) {
    const row = this.rows.get(id);
    if (!row) return;
    this.current = id;
    this.drawChosen();
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }

  focused(event) {
    const row = event.target.closest('.ps-clip');
    if (!row) return;
    const id = Number(row.dataset.clip);
    if (this.current === id) return;
    this.current = id;
    this.at = this.clips.findIndex((clip) => clip.id === id);
    this.drawChosen();
  }

  choose(id) {
    this.chosen = new Set([id]);
    this.current = id;
    this.anchor = id;
    this.drawChosen();
    this.actions.selected();
  }

  chooseTo(id, keep = false) {
    const from = Math.max(
      0,
      this.clips.findIndex((clip) => clip.id === this.anchor),
    );
    const to = this.clips.findIndex((clip) => clip.id === id);
    const between = this.clips.slice(Math.min(from, to), Math.max(from, to) + 1).map((clip) => clip.id);
    this.chosen = new Set(keep ? [...this.chosen, ...between] : between);
    this.current = id;
    this.drawChosen();
    this.actions.selected();
  }

  chooseAll() {
    this.chosen = new Set(this.clips.map((clip) => clip.id));
    this.drawChosen();
    this.actions.selected();
  }

  chooseNone() {
    if (!this.chosen.size) return false;
    this.chosen.clear();
    this.drawChosen();
    this.actions.selected();
    return true;
  }

  /** Return the selected ids in order; without a selection, that of the row that has the focus. */
  targets() {
    const ids = this.clips.map((clip) => clip.id);
    const chosen = ids.filter((id) => this.chosen.has(id));
    if (chosen.length) return chosen;
    return this.current !== null && ids.includes(this.current) && this.list.contains(document.activeElement)
      ? [this.current]
      : [];
  }

  drawChosen() {
    for (const [id, row] of this.rows) {
      const chosen = this.chosen.has(id);
      row.classList.toggle('ps-chosen', chosen);
      row.setAttribute('aria-selected', String(chosen));
      row.tabIndex = id === this.current ? 0 : -1;
      for (const part of row.querySelectorAll('input, textarea, button')) part.tabIndex = id === this.current ? 0 : -1;
    }
  }

  click(event) {
    const row = event.target.closest('.ps-clip');
    if (!row || this.dragged) return;
    const id = Number(row.dataset.clip);
    const action = event.target.closest('[data-action]')?.dataset.action;
    if (action === 'trim') this.actions.trim(id);
    else if (action === 'take-out') this.actions.takeOut([id]);
    if (action || event.target.closest('button')) return;
    if (event.target.closest('.ps-field')) {
      if (!this.chosen.has(id)) this.choose(id);
      return;
    }
    if (event.shiftKey) this.chooseTo(id, event.ctrlKey || event.metaKey);
    else if (event.ctrlKey || event.metaKey) {
      if (this.chosen.has(id)) this.chosen.delete(id);
      else this.chosen.add(id);
      this.current = id;
      this.anchor = id;
      this.drawChosen();
      this.actions.selected();
    } else this.choose(id);
    row.focus({ preventScroll: true });
  }

  // Keys with Ctrl and Alt; those without a modifier are in the page's layer.

  ctrlKeys(event) {
    const inField = event.target.matches('input, textarea');
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a' && !inField) {
      event.preventDefault();
      this.chooseAll();
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !inField) {
      event.preventDefault();
      this.actions.undo();
    } else if (event.altKey && !event.ctrlKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      this.shift(event.key === 'ArrowUp' ? -1 : 1);
    }
  }

  /** Move to another row (keys Up, Down, Home, End); `extend` selects on the way. */
  step(event, by, extend) {
    if (!this.clips.length) return false;
    const target = document.activeElement;
    const here = this.list.contains(target);
    if (!here && target && !target.matches('body, .ps-collections, .ps-collections *')) return false;
    if (!here && onControl(event)) return false;
    const at = this.clips.findIndex((clip) => clip.id === this.current);
    const to = !here
      ? Math.max(0, at)
      : Math.min(
          this.clips.length - 1,
          Math.max(0, by === -Infinity ? 0 : by === Infinity ? this.clips.length - 1 : at + by),
        );
    const { id } = this.clips[to];
    if (extend) this.chooseTo(id);
    else this.choose(id);
    this.focus(id);
    return true;
  }

  /** Move the selection by one place, several as a block. */
  shift(by) {
    const ids = this.targets();
    if (!ids.length) return;
    const order = this.clips.map((clip) => clip.id);
    const rest = order.filter((id) => !ids.includes(id));
    const edge = by < 0 ? order.indexOf(ids[0]) : order.indexOf(ids.at(-1));
    const beside = order[edge + by];
    if (beside === undefined) return;
    const at = rest.indexOf(beside) + (by > 0 ? 1 : 0);
    this.actions.move(ids, at > 0 ? rest[at - 1] : null);
  }

  // The preview on the poster

  hover(poster) {
    if (poster === this.over) return;
    this.over = poster;
    clearTimeout(this.timer);
    if (!poster) this.preview(null);
    else this.timer = setTimeout(() => this.preview(poster), HOVER_MILLISECONDS);
  }

  preview(poster) {
    this.playing?.querySelector('video')?.remove();
    const same = this.playing === poster;
    this.playing = null;
    const clip = poster && this.clips.find((each) => each.id === Number(poster.closest('.ps-clip').dataset.clip));
    if (!clip?.segment || (same && poster !== this.over) || matchMedia('(prefers-reduced-motion: reduce)').matches)
      return;
    const video = element('video', {
      muted: true,
      loop: true,
      autoplay: true,
      playsInline: true,
      src: `/api/preview/${clip.segment}`,
      'aria-hidden': 'true',
    });
    video.addEventListener('playing', () => video.classList.add('ps-on'));
    poster.querySelector('img')?.after(video);
    this.playing = poster;
  }

  previewCurrent() {
    const row = this.rows.get(this.current);
    if (row) this.preview(row.querySelector('.ps-clip-poster'));
  }
}

function fit(area) {
  if (CSS.supports('field-sizing', 'content')) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + 2}px`;
}
