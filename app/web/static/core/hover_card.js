// The small card beside the pointer: poster, moving preview, and what the shot is.

import { element, useViewStyles } from './dom.js';

const PREVIEW_AFTER = 250;

/** One card a view; `show` moves it, `hide` puts it away. Nothing in it can be reached by the pointer. */
export class HoverCard {
  constructor(parent) {
    useViewStyles();
    this.image = element('img', { alt: '' });
    this.frame = element('div', { class: 'ps-hover-frame' }, this.image);
    this.lines = element('div', { class: 'ps-hover-lines' });
    this.card = element('div', { class: 'ps-hover', hidden: true, 'aria-hidden': 'true' }, this.frame, this.lines);
    parent.append(this.card);
    this.segment = null;
  }

  /** box: {x, y} the point it belongs to, in the window. lines: texts, the first one strong. */
  show(segment, box, lines) {
    if (segment !== this.segment) {
      this.segment = segment;
      this.stop();
      this.image.src = `/api/poster/${segment}`;
      if (!matchMedia('(prefers-reduced-motion: reduce)').matches) {
        this.timer = setTimeout(() => this.play(segment), PREVIEW_AFTER);
      }
    }
    this.tell(lines);
    this.card.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const left = Math.min(Math.max(8, box.x - width / 2), innerWidth - width - 8);
    const above = box.y - height - 14;
    this.card.style.left = `${left}px`;
    this.card.style.top = `${above > 60 ? above : Math.min(box.y + 18, innerHeight - height - 8)}px`;
  }

  tell(lines) {
    this.lines.replaceChildren(...lines.filter(Boolean).map((text, at) =>
      element(at === 0 ? 'strong' : 'span', { text })));
  }

  play(segment) {
    if (this.segment !== segment) return;
    const video = element('video', { muted: true, loop: true, autoplay: true, playsInline: true, src: `/api/preview/${segment}` });
    video.addEventListener('playing', () => video.classList.add('ps-on'));
    this.frame.append(video);
    this.video = video;
  }

  stop() {
    clearTimeout(this.timer);
    if (!this.video) return;
    this.video.removeAttribute('src');
    this.video.load();
    this.video.remove();
    this.video = null;
  }

  hide() {
    if (this.card.hidden) return;
    this.card.hidden = true;
    this.segment = null;
    this.stop();
  }

  remove() {
    this.stop();
    this.card.remove();
  }
}
