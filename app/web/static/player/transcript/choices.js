// Choices of a transcript: the track of what is said, and the other kinds of words that are shown.

import { element } from '../../core/dom.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { bestTrack, KINDS, spokenTracks, trackNames } from './tracks.js';

const STORED_LANGUAGE = 'ps-transcript-language';

/** @typedef {import('../../core/types.js').TextTrack} TextTrack */

/**
 * Create a button of the panel.
 *
 * @param {string} text
 * @param {string} title
 * @param {() => unknown} run
 * @param {string | null} [pressed]
 */
export function panelButton(text, title, run, pressed = null) {
  return element('button', {
    class: 'ps-chip-button',
    type: 'button',
    text,
    title,
    onclick: run,
    'aria-pressed': pressed,
  });
}

/** Events: 'track' (another one is chosen), 'kinds' (others are left out). */
export class Choices extends EventTarget {
  /** @type {TextTrack[]} */
  tracks = [];
  /** @type {TextTrack | null} */
  spoken = null;
  /** @type {Set<TextTrack['kind']>} */
  left = new Set(); // kinds that are not shown
  select = element('select', { class: 'ps-select', 'aria-label': 'Language', onchange: () => this.choose() });
  kinds = element('span', { class: 'ps-transcript-kinds' });
  root = element('div', { class: 'ps-transcript-tools', hidden: true }, this.select, this.kinds);

  /**
   * Offer the tracks of a video. One is chosen at once: the one that is preferred, or by the person's languages.
   *
   * @param {TextTrack[]} tracks
   * @param {number | null} [preferred] Id of a track.
   */
  offer(tracks, preferred = null) {
    this.tracks = tracks;
    this.left = new Set();
    const spoken = spokenTracks(tracks);
    this.spoken = bestTrack(spoken, [loadStored(STORED_LANGUAGE, ''), ...navigator.languages]);
    const names = trackNames(spoken);
    const options = spoken.map((each, at) => element('option', { value: String(each.id), text: names[at] }));
    this.select.replaceChildren(...options);
    this.select.value = String(this.spoken?.id ?? '');
    this.select.hidden = spoken.length < 2;
    /** @type {TextTrack['kind'][]} */
    const kinds = ['screen', 'chapter'];
    const others = kinds.filter((kind) => tracks.some((each) => each.kind === kind));
    const offered = others.length + (spoken.length ? 1 : 0) < 2 ? [] : others;
    this.kinds.replaceChildren(...offered.map((kind) => this.kindButton(kind)));
    this.root.hidden = this.select.hidden && !offered.length;
    this.prefer(preferred);
  }

  /**
   * Choose a track for now, whatever language the person likes.
   *
   * @param {number | null} id
   * @returns {boolean} Whether it is another one than before, of those of what is said.
   */
  prefer(id) {
    const found = spokenTracks(this.tracks).find((each) => each.id === id);
    if (!found || found === this.spoken) return false;
    this.spoken = found;
    this.select.value = String(id);
    return true;
  }

  /** The tracks to load: of what is said, the chosen one. */
  get chosen() {
    const spoken = new Set(spokenTracks(this.tracks));
    return this.tracks.filter((each) => !spoken.has(each) || each === this.spoken);
  }

  choose() {
    this.spoken = this.tracks.find(({ id }) => String(id) === this.select.value) ?? null;
    if (this.spoken?.language) saveStored(STORED_LANGUAGE, this.spoken.language);
    this.dispatchEvent(new Event('track'));
  }

  /** @param {TextTrack['kind']} kind */
  kindButton(kind) {
    const name = KINDS[kind];
    const run = () => {
      if (!this.left.delete(kind)) this.left.add(kind);
      button.setAttribute('aria-pressed', String(!this.left.has(kind)));
      this.dispatchEvent(new Event('kinds'));
    };
    const button = panelButton(name, `Show or hide: ${name.toLowerCase()}`, run, 'true');
    return button;
  }
}
