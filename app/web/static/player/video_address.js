// Address of the page of a video.

const OTHER_PAGES = ['video', 'collection', 'export']; // what the address of another page names besides the search

/**
 * Return the address of the page of a video, with the search of the present one: it colours the video's timeline.
 *
 * @param {number} video
 * @param {string} query Query of the present address.
 * @returns {string} Relative to the page.
 */
export function videoAddress(video, query) {
  const search = new URLSearchParams(query);
  for (const name of OTHER_PAGES) search.delete(name);
  return `library?video=${video}${search.size ? `&${search}` : ''}`;
}
