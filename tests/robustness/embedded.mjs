// One server with the database it brings along, on a disk of its own.
import { pause } from "../processes.mjs";
import { fullDisk, fullOfLog } from "./disks.mjs";

export const embeddedFaults = {
  "server and embedded database killed": async ({ place }) => {
    place.killDatabase();
    await place.killServer();
    await place.start();
  },
  "embedded database's disk full of log": async ({ place }) => {
    await fullOfLog(place);
    await place.comesBack();
  },
  "server killed": async ({ random, place }) => {
    await pause(random.between(0, 200));
    await place.killServer();
    await place.start();
  },
  "embedded database killed": async ({ random, place }) => {
    await pause(random.between(0, 200));
    place.killDatabase();
  },
  "embedded database's disk full": ({ place, workload }) => fullDisk(place, workload),
};
