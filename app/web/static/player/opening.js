// Opening of a video: the file itself, or a copy that any browser plays; and the list of its frames.

import { api } from '../core/api.js';

const POLL_MILLISECONDS = 400;

/** @typedef {import('../core/types.js').FrameList} FrameList */
/** @typedef {import('../core/types.js').ProxyState} ProxyState */

/**
 * Ask the server for the frames of a stretch.
 *
 * @param {number} segment One of the video's.
 * @param {import('./stretch.js').Stretch} stretch
 * @returns {Promise<FrameList | null>} null where it cannot read them: frames are counted by the rate then.
 */
export async function requestFrames(segment, { first, last }) {
  /** @type {FrameList | null} */
  const list = await api(`/api/frames/${segment}?from=${first}&to=${last}`).catch(() => null);
  return list?.seconds.length ? list : null;
}

/**
 * Have the server make a copy of what is around a segment (a proxy), and wait until it is made or has failed.
 *
 * @param {number} segment
 * @param {(share: number) => boolean} goOn Called while it is being made, with how much is done, 0 to 1; false stops waiting.
 * @returns {Promise<ProxyState>}
 * @throws {import('../core/api.js').ApiError}
 */
export async function requestProxy(segment, goOn) {
  const address = `/api/proxy/${segment}`;
  /** @type {ProxyState} */
  let proxy = await api(address, { method: 'POST' });
  while (proxy.state === 'making' && goOn(proxy.progress)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    proxy = await api(address);
  }
  return proxy;
}

/**
 * Point a video element at an address.
 *
 * @param {HTMLVideoElement} video
 * @param {string} address
 * @returns {Promise<boolean>} Whether the browser can play what is there, once it has tried.
 */
export function openAddress(video, address) {
  return new Promise((resolve) => {
    /** @param {boolean} good */
    const done = (good) => {
      video.removeEventListener('loadeddata', loaded);
      video.removeEventListener('error', failed);
      resolve(good);
    };
    // A browser that can decode the sound but not the pictures plays without them.
    const loaded = () => done(video.videoWidth > 0);
    const failed = () => done(false);
    video.addEventListener('loadeddata', loaded);
    video.addEventListener('error', failed);
    video.preload = 'auto';
    video.src = address;
    video.load();
  });
}
