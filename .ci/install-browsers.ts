// Makes sure that the browsers of the tests are there: installed ones are used as they are; what is missing
// comes from apt where this user may use it, Chromium else from Playwright's download. Answers 0 when every
// browser was found; without Firefox that still holds unless CI is set, as its tests are then skipped.

import { existsSync, readdirSync } from 'node:fs';
import { findBrowser, wantedBrowsers } from '../e2e/support/find-browser';
import { run, runTool } from './command';

export default async function installBrowsers(): Promise<number> {
  const wanted = wantedBrowsers();
  const missing = () => wanted.filter((name) => !findBrowser(name));
  const packages: string[] = missing().map((name) => (name === 'chromium' ? 'chromium' : 'firefox-esr'));
  if (wanted.includes('firefox') && process.platform === 'linux' && !hasVulkanDriver()) {
    packages.push('mesa-vulkan-drivers');
  }
  if (packages.length > 0) await installWithApt(packages);
  if (missing().includes('chromium')) await runTool('playwright', ['install', 'chromium']);

  for (const name of missing()) {
    console.error(`No ${name} was found, and it could not be installed. ${advice[name]}`);
  }
  const needed = process.env.CI ? missing() : missing().filter((name) => name === 'chromium');
  return needed.length === 0 ? 0 : 1;
}

const advice = {
  chromium: 'Install Chromium or Chrome, or set CHROME_PATH to its executable.',
  firefox: 'Install Firefox, or set FIREFOX_PATH to its executable. Tests in Firefox are skipped without it.',
};

/** Firefox has no software adapter of its own: on Linux it takes Mesa's. */
function hasVulkanDriver(): boolean {
  const folder = '/usr/share/vulkan/icd.d';
  return existsSync(folder) && readdirSync(folder).length > 0;
}

async function installWithApt(packages: readonly string[]): Promise<void> {
  if (!existsSync('/usr/bin/apt-get')) return;
  const apt = (args: string[]) => {
    const command = ['apt-get', '-qq', '-o=Dpkg::Use-Pty=0', ...args];
    const asRoot = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
    return run(asRoot[0] as string, asRoot.slice(1), { DEBIAN_FRONTEND: 'noninteractive' });
  };
  console.log(`Installing ${packages.join(', ')} with apt-get …`);
  if ((await apt(['update'])) !== 0) return;
  // One at a time: a distribution that lacks one of them may have the others.
  for (const name of packages) await apt(['install', '-y', '--no-install-recommends', name]);
}
