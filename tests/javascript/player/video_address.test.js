import assert from 'node:assert/strict';
import { test } from 'node:test';
import { videoAddress } from '../../../app/web/static/player/video_address.js';

test('the page of a video is opened with the search of this page', () => {
  assert.equal(
    videoAddress(12, '?q=a+penguin&term=1%3Asegment%3A4&term=0.5%3Atext%3Ared'),
    'library?video=12&q=a+penguin&term=1%3Asegment%3A4&term=0.5%3Atext%3Ared',
  );
});

test('what the present page shows besides the search is left behind', () => {
  assert.equal(videoAddress(12, '?video=3&q=red&collection=9&export=1'), 'library?video=12&q=red');
});

test('without a search, only the video is named', () => {
  assert.equal(videoAddress(12, ''), 'library?video=12');
});
