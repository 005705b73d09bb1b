// `npx lepton`: the command line, for Node.

import { version } from '../../package.json';
import { compressCommand, compressHelp } from './compress';

const [command, ...args] = process.argv.slice(2);
const isTerminal = process.stderr.isTTY;

try {
  if (command === '--version') console.log(version);
  else if (command === 'compress' && args.length > 0 && !args.includes('--help')) {
    await compressCommand(args, {
      print(line) {
        if (isTerminal) process.stderr.write('\r\x1b[K');
        console.log(line);
      },
      progress(line) {
        if (isTerminal) process.stderr.write(`\r\x1b[K${line}`);
      },
    });
  } else {
    console.log(compressHelp);
    if (command !== undefined && command !== 'compress' && command !== '--help') {
      console.error(`lepton: there is no command "${command}".`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  const { message, stack } = error as Error;
  // What somebody can do something about needs no trace.
  console.error(`${isTerminal ? '\r\x1b[K' : ''}${'code' in (error as Error) ? message : stack}`);
  process.exitCode = 1;
}
