import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsOf, Trimming } from '../../../../app/web/static/collections/trim/trimming.js';
import { FrameTimes } from '../../../../app/web/static/player/frame_times.js';
import { footage, steady, VIDEOS } from './footage.js';

/** @typedef {ReturnType<typeof footage>} Footage */

/**
 * The range from one frame to another of a video.
 *
 * @param {Footage} video
 * @param {number} first
 * @param {number} last
 */
function range({ pts }, first, last) {
  return { start_pts: pts[first], end_pts: pts[last + 1] };
}

/**
 * @param {Footage} video
 * @param {number} first
 * @param {number} last
 * @param {boolean} [complete]
 */
function trimming(video, first, last, complete = true) {
  return new Trimming(video.times, video.info, range(video, first, last), complete);
}

const video = steady(100, [1, 90000], [25, 1]);

for (const [name, odd] of Object.entries(VIDEOS)) {
  const count = odd.list.pts.length;

  test(`each range of frames is read back as the same frames: ${name}`, () => {
    for (let first = 0; first < count; first += 1)
      for (const last of new Set([first, Math.min(first + 1, count - 1), count - 1])) {
        const read = trimming(odd, first, last);
        assert.deepEqual([read.first, read.last], [first, last]);
      }
  });

  test(`in and out lie on frames, in order and within the video, wherever they are set: ${name}`, () => {
    for (const [first, last] of [
      [0, 0],
      [0, count - 1],
      [Math.floor(count / 3), Math.floor(count / 2)],
      [count - 1, count - 1],
    ])
      for (let index = -2; index < count + 2; index += 1)
        for (const moved of [
          trimming(odd, first, last).withIn(index),
          trimming(odd, first, last).withOut(index),
          trimming(odd, first, last).nudged('in', index - first),
          trimming(odd, first, last).nudged('out', index - last),
          trimming(odd, first, last).slipped({ first, last }, index - first),
        ]) {
          assert.ok(odd.pts.includes(moved.start_pts) && odd.pts.includes(moved.end_pts));
          assert.ok(moved.start_pts < moved.end_pts);
        }
  });

  test(`a point that is nudged there and back is where it was: ${name}`, () => {
    if (count < 4) return;
    const there = trimming(odd, 1, count - 2).nudged('in', 1);
    assert.deepEqual(new Trimming(odd.times, odd.info, there, true).nudged('in', -1), range(odd, 1, count - 2));
    const out = trimming(odd, 1, count - 2).nudged('out', 1);
    assert.deepEqual(out, range(odd, 1, count - 1));
    assert.deepEqual(new Trimming(odd.times, odd.info, out, true).nudged('out', -1), range(odd, 1, count - 2));
  });
}

test('in moves to the start of a frame, out to the end of one', () => {
  assert.deepEqual(trimming(video, 20, 40).withIn(30), range(video, 30, 40));
  assert.deepEqual(trimming(video, 20, 40).withIn(10), range(video, 10, 40));
  assert.deepEqual(trimming(video, 20, 40).withOut(30), range(video, 20, 30));
  assert.deepEqual(trimming(video, 20, 40).withOut(50), range(video, 20, 50));
});

test('the shortest range is one frame', () => {
  assert.deepEqual(trimming(video, 20, 40).withIn(40), range(video, 40, 40));
  assert.deepEqual(trimming(video, 20, 40).withOut(20), range(video, 20, 20));
});

test('in beyond out takes the range along with its length, as far as there are frames', () => {
  assert.deepEqual(trimming(video, 20, 40).withIn(41), range(video, 41, 61));
  assert.deepEqual(trimming(video, 20, 40).withIn(90), range(video, 90, 99));
  assert.deepEqual(trimming(video, 20, 40).withIn(99), range(video, 99, 99));
});

test('out before in takes the range along with its length, as far as there are frames', () => {
  assert.deepEqual(trimming(video, 40, 60).withOut(39), range(video, 19, 39));
  assert.deepEqual(trimming(video, 40, 60).withOut(10), range(video, 0, 10));
  assert.deepEqual(trimming(video, 40, 60).withOut(0), range(video, 0, 0));
});

test('a range that slides along keeps about its time where frames change their length', () => {
  const changing = VIDEOS['frames of a changing length']; // 0 40 90 91 300 340 1300 1340 1400
  assert.deepEqual(trimming(changing, 0, 1).withIn(4), range(changing, 4, 5)); // 90 ms from 300 on: to 1300
  assert.deepEqual(trimming(changing, 4, 5).withOut(3), range(changing, 0, 3)); // 1000 ms up to 300
});

test('nudging stops at the other point and at the ends of what is known', () => {
  assert.deepEqual(trimming(video, 20, 40).nudged('in', 100), range(video, 40, 40));
  assert.deepEqual(trimming(video, 20, 40).nudged('in', -100), range(video, 0, 40));
  assert.deepEqual(trimming(video, 20, 40).nudged('out', -100), range(video, 20, 20));
  assert.deepEqual(trimming(video, 20, 40).nudged('out', 100), range(video, 20, 99));
});

test('slipping keeps the number of frames, and stops where frames end', () => {
  const from = { first: 20, last: 40 };
  assert.deepEqual(trimming(video, 20, 40).slipped(from, 5), range(video, 25, 45));
  assert.deepEqual(trimming(video, 20, 40).slipped(from, -5), range(video, 15, 35));
  assert.deepEqual(trimming(video, 20, 40).slipped(from, 0), range(video, 20, 40));
  assert.deepEqual(trimming(video, 20, 40).slipped(from, -30), range(video, 0, 20));
  assert.deepEqual(trimming(video, 20, 40).slipped(from, 90), range(video, 79, 99));
  assert.deepEqual(trimming(video, 0, 99).slipped({ first: 0, last: 99 }, 3), range(video, 0, 99));
});

test('slipping counts from where the drag began, not from where the range is by now', () => {
  assert.deepEqual(trimming(video, 30, 50).slipped({ first: 20, last: 40 }, 1), range(video, 21, 41));
});

test('a part of a long shot that begins between two frames begins with the later one', () => {
  const between = { start_pts: 20 * 3600 + 1700, end_pts: 41 * 3600 };
  const part = new Trimming(video.times, video.info, between, true);
  assert.deepEqual([part.first, part.last], [21, 40]);
  assert.deepEqual(part.nudged('in', -1), range(video, 20, 40));
  assert.deepEqual(part.nudged('out', 1), { start_pts: between.start_pts, end_pts: 42 * 3600 });
});

test('a range that ends within a frame ends with it', () => {
  const part = new Trimming(video.times, video.info, { start_pts: 0, end_pts: 40 * 3600 + 1700 }, true);
  assert.equal(part.last, 40);
});

test('a range that lasts a moment slides along as a whole frame', () => {
  const moment = (/** @type {number} */ start) =>
    new Trimming(video.times, video.info, { start_pts: start, end_pts: start + 5 }, true); // 0.06 ms
  assert.deepEqual(moment(20 * 3600).withIn(50), range(video, 50, 50));
  assert.deepEqual(moment(50 * 3600).withOut(20), range(video, 20, 20));
});

test('the last frame ends with the video, however long its rate says it is', () => {
  const short = footage([0, 40, 80], 95, [1, 1000], [25, 1]);
  assert.deepEqual(trimming(short, 0, 1).withOut(2), { start_pts: 0, end_pts: 95 });
});

test('out does not follow a frame whose end is a guess, where the video goes on', () => {
  // In milliseconds, frames at 23.976 a second last 41 or 42 of them: a guess of 42 could take in the frame after.
  const { list, info, pts } = steady(200, [1, 1000], [24000, 1001]);
  const half = { pts: list.pts.slice(0, 100), seconds: list.seconds.slice(0, 100) };
  const part = new Trimming(new FrameTimes(half, info), info, { start_pts: 0, end_pts: pts[50] }, false);
  assert.equal(part.most, 98);
  for (const index of [98, 99, 200]) assert.equal(part.withOut(index).end_pts, pts[99]);
  assert.deepEqual(part.slipped({ first: 0, last: 49 }, 100), { start_pts: pts[49], end_pts: pts[99] });
  assert.deepEqual(part.withIn(99), { start_pts: pts[98], end_pts: pts[99] });
});

test('out follows the last frame of the video, though what is loaded may seem to end a little earlier', () => {
  assert.deepEqual(trimming(video, 0, 10, false).withOut(99), range(video, 0, 99));
});

test('a single frame can be trimmed, though its end is a guess', () => {
  const { list, info } = steady(200, [1, 1000], [25, 1]);
  const first = { pts: list.pts.slice(0, 1), seconds: [0] };
  const part = new Trimming(new FrameTimes(first, info), info, { start_pts: 0, end_pts: 400 }, false);
  assert.deepEqual(part.withOut(0), { start_pts: 0, end_pts: 40 });
});

test('ranges are read by the rate, but not moved, where the frames are not known', () => {
  const unknown = new Trimming(new FrameTimes(null, video.info), video.info, range(video, 20, 40), true);
  assert.deepEqual([unknown.first, unknown.last], [20, 40]);
  assert.throws(() => unknown.withIn(30), /frames are not known/);
});

test('seconds count from the first frame shown', () => {
  assert.equal(
    secondsOf(324_003_003, { video_start_pts: 324_000_000, video_end_pts: 0, time_base: [1, 90000] }),
    3003 / 90000,
  );
  assert.equal(secondsOf(-5000, { video_start_pts: -5000, video_end_pts: 0, time_base: [1001, 900900] }), 0);
});
