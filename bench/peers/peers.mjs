// SPDX-License-Identifier: Apache-2.0
// Medians of ONNX Runtime and Strake on the cores that this process is bound to; started by bench/peers/run.

import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {parseArgs} from 'node:util';

import * as ort from 'onnxruntime-node';

const warmUpFrames = 5;

class WrongInput extends Error {}
class Failed extends Error {}

function readCommandLine() {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      threads: {type: 'string', default: '1'},
      ranks: {type: 'string', default: '1'},
      frames: {type: 'string', default: '50'},
      rounds: {type: 'string', default: '5'},
      shape: {type: 'string', multiple: true, default: []},
      json: {type: 'string'},
    },
  });
  const positive = (name) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < 1) {
      throw new WrongInput(`--${name} expects a number from 1, got '${values[name]}'`);
    }
    return number;
  };
  const missing = positionals.find((model) => !existsSync(model));
  if (missing) throw new WrongInput(`no model '${missing}'`);
  if (positionals.length === 0) throw new WrongInput('which model?');
  if (!existsSync(process.env.STRAKE)) {
    throw new WrongInput(`no program '${process.env.STRAKE}'; scripts/test builds it, STRAKE names it`);
  }
  if (positive('threads') % positive('ranks') !== 0) {
    throw new WrongInput(`--ranks ${values.ranks} cannot share ${values.threads} threads evenly`);
  }
  return {
    models: positionals,
    threads: positive('threads'),
    ranks: positive('ranks'),
    frames: positive('frames'),
    rounds: Math.min(positive('rounds'), positive('frames')),
    shapes: values.shape,
    json: values.json,
  };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median absolute deviation: a spread that single outliers do not move. */
function spread(numbers) {
  const middle = median(numbers);
  return median(numbers.map((number) => Math.abs(number - middle)));
}

/** Sizes of one input: those of the model, open ones from --shape. */
function dimensionsOf(input, shapes) {
  const given = shapes.find((shape) => shape.startsWith(`${input.name}=`));
  if (given) return given.slice(input.name.length + 1).split(',').map(Number);
  const open = input.shape.find((size, axis) => typeof size !== 'number' && axis > 0);
  if (open !== undefined) {
    throw new WrongInput(`input '${input.name}' leaves '${open}' open; --shape ${input.name}=... sets it`);
  }
  return input.shape.map((size) => (typeof size === 'number' ? size : 1));
}

/** Random numbers: up to 1 for a model of floats, up to 255 for one of bytes. */
function randomTensor(input, shapes) {
  const dimensions = dimensionsOf(input, shapes);
  const size = dimensions.reduce((product, one) => product * one, 1);
  const byte = () => Math.floor(Math.random() * 256);
  const halfBits = () => 0x3800 + 4 * byte();  // 0.5 to 1
  const makers = {
    float32: () => Float32Array.from({length: size}, Math.random),
    float16: () => Uint16Array.from({length: size}, halfBits),
    uint8: () => Uint8Array.from({length: size}, byte),
  };
  if (!(input.type in makers)) {
    throw new WrongInput(`input '${input.name}' has elements of type ${input.type}, for which this makes no numbers`);
  }
  return new ort.Tensor(input.type, makers[input.type](), dimensions);
}

async function openOnnxRuntime(model, options) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const feeds = {};
  for (const input of session.inputMetadata) feeds[input.name] = randomTensor(input, options.shapes);
  return {session, feeds};
}

async function timeOnnxRuntime({session, feeds}, frames) {
  const ms = [];
  for (let frame = -warmUpFrames; frame < frames; ++frame) {
    const begin = process.hrtime.bigint();
    await session.run(feeds);
    if (frame >= 0) ms.push(Number(process.hrtime.bigint() - begin) / 1e6);
  }
  return ms;
}

/** All ranks together have the cores that this process is bound to. */
function timeStrake(model, options, frames, scratch) {
  const report = join(scratch, 'bench.json');
  const shapes = options.shapes.flatMap((shape) => ['--shape', shape]);
  const threads = options.threads / options.ranks;
  const settings = ['--threads', threads, '--frames', frames, '--warm-up', warmUpFrames].map(String);
  const launch = ['mpirun', '-np', options.ranks, '--map-by', `slot:PE=${threads}`, '--bind-to', 'core'].map(String);
  const [program, ...words] = [
    ...(options.ranks > 1 ? launch : []),
    process.env.STRAKE, 'bench', model, '-q', ...settings, '--json', report, ...shapes,
  ];
  const {status, error} = spawnSync(program, words, {stdio: ['ignore', 'ignore', 'inherit']});
  if (error) throw error;
  if (status !== 0) throw new Failed(`strake bench ${model} ended with ${status}`);
  return JSON.parse(readFileSync(report, 'utf8')).latency_ms.p50;
}

/** Both by turns, so that a machine that changes its speed changes it for both. */
async function measure(model, options, scratch) {
  const runtime = await openOnnxRuntime(model, options);
  const frames = Math.ceil(options.frames / options.rounds);
  const onnxruntime = [];
  const strake = [];
  for (let round = 0; round < options.rounds; ++round) {
    onnxruntime.push(median(await timeOnnxRuntime(runtime, frames)));
    strake.push(timeStrake(model, options, frames, scratch));
  }
  await runtime.session.release();
  return {
    model: basename(model, '.onnx'),
    onnxruntime_ms: {median: median(onnxruntime), mad: spread(onnxruntime), rounds: onnxruntime},
    strake_ms: {median: median(strake), mad: spread(strake), rounds: strake},
    strake_over_onnxruntime: median(strake) / median(onnxruntime),
  };
}

function printRow(cells) {
  console.log(cells[0].padEnd(28) + cells.slice(1).map((cell) => cell.padStart(18)).join(''));
}

async function main() {
  const options = readCommandLine();
  const scratch = mkdtempSync(join(tmpdir(), 'strake-peers-'));
  const results = [];
  try {
    const threads = `${options.threads} thread${options.threads === 1 ? '' : 's'}`;
    const ranks = options.ranks > 1 ? `, Strake in ${options.ranks} ranks` : '';
    console.log(`${cpus()[0].model}, ${threads}${ranks}; medians of ${options.rounds} rounds, ± median deviation`);
    printRow(['model', 'ONNX Runtime ms', 'Strake ms', 'Strake / ORT']);
    for (const model of options.models) {
      const result = await measure(model, options, scratch);
      results.push(result);
      const cell = ({median, mad}) => `${median.toFixed(3)} ± ${mad.toFixed(3)}`;
      const ratio = result.strake_over_onnxruntime.toFixed(3);
      printRow([result.model, cell(result.onnxruntime_ms), cell(result.strake_ms), ratio]);
    }
    const logarithms = results.map((result) => Math.log(result.strake_over_onnxruntime));
    const mean = Math.exp(logarithms.reduce((sum, one) => sum + one, 0) / results.length);
    if (results.length > 1) printRow(['geometric mean', '', '', mean.toFixed(3)]);
  } finally {
    rmSync(scratch, {recursive: true});
  }
  if (options.json) {
    const {threads, ranks, frames} = options;
    const report = {cpu: cpus()[0].model, onnxruntime: ort.env.versions.node, threads, ranks, frames, results};
    writeFileSync(options.json, JSON.stringify(report, null, 2) + '\n');
  }
}

try {
  await main();
} catch (error) {
  const wrongInput = error instanceof WrongInput || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(`bench/peers: ${wrongInput || error instanceof Failed ? error.message : error.stack}`);
  process.exitCode = wrongInput ? 2 : 1;
}
