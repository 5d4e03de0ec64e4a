import { runSimulatorCommand } from './command.ts';

process.exitCode = await runSimulatorCommand(process.argv.slice(2));
