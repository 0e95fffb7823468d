// Searching by a file: a picture or a video, dropped anywhere on the page or chosen (file_button.js has the button).

import { mountOnce, trigger } from '../core/component.js';
import { element, setOverlayHome, setText } from '../core/dom.js';
import { toast } from '../core/toast.js';
import { readAnswer, refusalOf } from './example_file.js';

/** Event on the document that opens the choice of a file. */
export const CHOOSE_FILE = 'prismsearch-choose-example';

/** @typedef {import('../core/types.js').Component<null>} DropComponent */

/** Trigger: dropped {token, name, kind}. */
export const mount = mountOnce((/** @type {DropComponent} */ component) => new FileDrop(component));

class FileDrop {
  /** @param {DropComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    this.component = component;
    /** @type {XMLHttpRequest | null} */
    this.request = null; // the last one
    this.depth = 0; // of elements that the dragged file has entered and not left
    this.input = element('input', {
      type: 'file',
      accept: 'image/*,video/*',
      hidden: true,
      onchange: () => {
        const files = [...(this.input.files ?? [])];
        this.input.value = ''; // so that the same file can be chosen again
        this.take(files, false);
      },
    });
    this.label = element('span', {});
    this.bar = element('progress', { max: 1 });
    this.progress = element(
      'div',
      { class: 'ps-upload', hidden: true },
      this.label,
      this.bar,
      element('button', { class: 'ps-link', type: 'button', text: 'Cancel', onclick: () => this.request?.abort() }),
    );
    this.veil = element(
      'div',
      { class: 'ps-veil', hidden: true },
      element('p', { text: 'Drop a picture or clip to search with it' }),
    );
    parent.append(this.input, this.progress, this.veil);
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener('dragenter', (event) => this.drag(event, 1), { signal });
    document.addEventListener('dragleave', (event) => this.drag(event, -1), { signal });
    document.addEventListener('dragover', (event) => filesOf(event) && event.preventDefault(), { signal });
    document.addEventListener('drop', (event) => this.drop(event), { signal });
    document.addEventListener(CHOOSE_FILE, () => this.input.click(), { signal });
  }

  /** @param {DropComponent} component */
  update(component) {
    this.component = component;
  }

  /**
   * @param {DragEvent} event
   * @param {number} by
   */
  drag(event, by) {
    if (!filesOf(event)) return;
    this.depth = Math.max(0, this.depth + by);
    this.veil.hidden = this.depth === 0;
  }

  /** @param {DragEvent} event */
  drop(event) {
    const dropped = filesOf(event);
    if (!dropped) return;
    event.preventDefault();
    this.depth = 0;
    this.veil.hidden = true;
    this.take([...dropped.files], dropped.items[0]?.webkitGetAsEntry()?.isDirectory ?? false);
  }

  /**
   * Search by the first of some files.
   *
   * @param {File[]} files
   * @param {boolean} isFolder Whether that one is a folder.
   */
  take([file, ...others], isFolder) {
    if (!file) return;
    const refusal = refusalOf(file, isFolder);
    if (refusal) {
      toast(refusal, { kind: 'error' });
      return;
    }
    if (others.length) toast('One file at a time: searching with the first one');
    this.send(file);
  }

  /** @param {File} file */
  send(file) {
    this.request?.abort();
    // Not fetch, which does not report how much has been sent.
    const request = new XMLHttpRequest();
    let aborted = false;
    this.request = request;
    setText(this.label, file.name);
    this.bar.value = 0;
    this.progress.hidden = false;
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) this.bar.value = event.loaded / event.total;
    });
    request.addEventListener('abort', () => {
      aborted = true;
    });
    request.addEventListener('loadend', () => {
      if (this.request !== request) return;
      this.progress.hidden = true;
      if (aborted) return;
      const { example, problem } = readAnswer(request.status, request.responseText);
      if (example) trigger(this.component, 'dropped', example);
      else toast(problem, { kind: 'error' });
    });
    request.open('POST', '/api/examples');
    request.setRequestHeader('X-Prismsearch', '1');
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name.replace(/\p{Surrogate}/gu, '\ufffd')));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.send(file);
  }

  remove() {
    this.request?.abort();
    this.listening.abort();
    for (const part of [this.input, this.progress, this.veil]) part.remove();
  }
}

/**
 * Return what a drag brings, where that is files; null where it is a text or a part of the page.
 *
 * @param {DragEvent} event
 * @returns {DataTransfer | null}
 */
function filesOf({ dataTransfer }) {
  return dataTransfer?.types.includes('Files') ? dataTransfer : null;
}
