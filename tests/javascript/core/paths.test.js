import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitPath } from '../../../app/web/static/core/paths.js';

test('a path divides into its last part and what comes before', () => {
  assert.deepEqual(splitPath('/videos/alps'), { parent: '/videos/', name: 'alps' });
  assert.deepEqual(splitPath('/videos/alps/'), { parent: '/videos/', name: 'alps' });
  assert.deepEqual(splitPath('D:\\Film\\2024\\'), { parent: 'D:\\Film\\', name: '2024' });
  assert.deepEqual(splitPath('alps'), { parent: '', name: 'alps' });
  assert.deepEqual(splitPath('/videos'), { parent: '/', name: 'videos' });
});

test('a root is all name', () => {
  assert.deepEqual(splitPath('/'), { parent: '', name: '/' });
  assert.deepEqual(splitPath('C:\\'), { parent: '', name: 'C:' });
  assert.deepEqual(splitPath(''), { parent: '', name: '' });
});
