// Hover card: a shot's poster, moving preview and facts beside the pointer.

import { element, useViewStyles } from './dom.js';
import { previewVideo, reducedMotion, removeVideo } from './poster_preview.js';

const PREVIEW_MILLISECONDS = 250;

/** A card that a view shows and hides. The pointer cannot reach it. */
export class HoverCard {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    useViewStyles();
    this.image = element('img', { alt: '' });
    this.frame = element('div', { class: 'ps-hover-frame' }, this.image);
    this.lines = element('div', { class: 'ps-hover-lines' });
    this.card = element('div', { class: 'ps-hover', hidden: true, 'aria-hidden': 'true' }, this.frame, this.lines);
    parent.append(this.card);
    /** @type {number | null} */
    this.segment = null;
    /** @type {HTMLVideoElement | null} */
    this.video = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Show a segment at a point, or move the card there.
   *
   * @param {number} segment
   * @param {{x: number, y: number}} point In the window, in pixels.
   * @param {(string | null)[]} lines The first one is emphasised; empty ones are left out.
   */
  show(segment, point, lines) {
    if (segment !== this.segment) {
      this.segment = segment;
      this.stop();
      this.image.src = `/api/poster/${segment}`;
      if (!reducedMotion()) this.timer = setTimeout(() => this.play(segment), PREVIEW_MILLISECONDS);
    }
    this.setLines(lines);
    this.card.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const left = Math.min(Math.max(8, point.x - width / 2), innerWidth - width - 8);
    const above = point.y - height - 14;
    this.card.style.left = `${left}px`;
    this.card.style.top = `${above > 60 ? above : Math.min(point.y + 18, innerHeight - height - 8)}px`;
  }

  /** @param {(string | null)[]} lines */
  setLines(lines) {
    this.lines.replaceChildren(
      ...lines.filter(Boolean).map((text, at) => element(at === 0 ? 'strong' : 'span', { text })),
    );
  }

  /** @param {number} segment */
  play(segment) {
    if (this.segment !== segment) return;
    this.video = previewVideo(segment);
    this.frame.append(this.video);
  }

  stop() {
    clearTimeout(this.timer);
    if (this.video) removeVideo(this.video);
    this.video = null;
  }

  hide() {
    this.card.hidden = true;
    this.segment = null;
    this.stop();
  }

  remove() {
    this.stop();
    this.card.remove();
  }
}
