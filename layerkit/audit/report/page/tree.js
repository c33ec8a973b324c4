// The data as a tree in columns: stack → part → distribution → folder → file. Nothing here recurses: hostile zips nest deep.

const ROOT = 0;
const PART = 1;
const OWNER = 2;
const FOLDER = 3;
const FILE = 4;
const NOBODY = -1;

/** A part of a stack as the page got it, its columns unpacked once. */
class Part {
  constructor(raw, names) {
    Object.assign(this, { where: raw.where, name: raw.name, arn: raw.arn, unzipped: raw.unzipped, zipped: raw.zipped });
    this.isRead = raw.is_read; // or else nobody knows what it holds, and its unzipped size counts as none
    this.runtimes = raw.runtimes;
    this.architectures = raw.architectures;
    this.owners = raw.owners;
    this.names = names;
    this.nameOf = raw.files.names;
    this.size = { unzipped: raw.files.unzipped, zipped: raw.files.zipped ?? raw.files.unzipped.map(() => 0) };
    this.kindOf = Uint8Array.from(raw.files.kinds);
    this.files = this.nameOf.length;
    this.ownerOf = unpackRuns(raw.files.owners, this.files);
    this.unpackFolders(raw.folders);
  }

  unpackFolders(flat) {
    const length = flat.length / 3;
    this.folderParent = new Int32Array(length);
    this.folderName = new Int32Array(length);
    this.folderOf = new Int32Array(this.files);
    let file = 0;
    for (let folder = 0; folder < length; folder++) {
      this.folderParent[folder] = flat[3 * folder];
      this.folderName[folder] = flat[3 * folder + 1];
      const inside = flat[3 * folder + 2];
      this.folderOf.fill(folder, file, file + inside);
      file += inside;
    }
  }

  /** Returns the path of a folder below another one, with the slash behind it; of all the way, unless told. */
  folderPath(folder, above = 0) {
    const steps = [];
    for (let at = folder; at > 0 && at !== above; at = this.folderParent[at])
      steps.push(this.names[this.folderName[at]]);
    return steps.length ? `${steps.reverse().join("/")}/` : "";
  }

  fileName(file) {
    return this.names[this.nameOf[file]];
  }

  filePath(file) {
    return this.folderPath(this.folderOf[file]) + this.fileName(file);
  }

  /** Returns `name version` of a distribution. */
  ownerName(owner) {
    if (owner === NOBODY) return NO_OWNER;
    const [name, version] = this.owners[owner];
    return version ? `${name} ${version}` : name;
  }
}

function unpackRuns(runs, length) {
  const values = new Int32Array(length);
  let at = 0;
  for (let run = 0; run < runs.length; run += 2) {
    values.fill(runs[run], at, at + runs[run + 1]);
    at += runs[run + 1];
  }
  return values;
}

/** One audit's stack as a tree. Nodes are numbers; a node's number is larger than its parent's. */
class Tree {
  constructor(audit, parts) {
    this.audit = audit;
    this.parts = parts;
    this.isWhole = parts.every((part) => part.isRead);
    this.length = 0;
    const most =
      1 + parts.reduce((sum, part) => sum + 1 + part.owners.length + 1 + 2 * part.files + part.folderParent.length, 0);
    this.grow(most);
    this.add(ROOT, 0, 0, 0);
    this.partNodes = [];
    this.fileNodes = parts.map((part, place) => this.addPart(part, place));
    this.joinLoneFolders();
    this.addUp();
    this.collectChildren();
    this.sortBy("unzipped");
    this.top = parts.length === 1 ? this.children(0)[0] : 0;
    this.lose = this.collectLosers();
  }

  grow(most) {
    const grown = (old, Type) => {
      const larger = new Type(most);
      if (old) larger.set(old);
      return larger;
    };
    this.kind = grown(this.kind, Uint8Array);
    this.parent = grown(this.parent, Int32Array);
    this.part = grown(this.part, Int32Array);
    this.ref = grown(this.ref, Int32Array);
  }

  add(kind, parent, part, ref) {
    const node = this.length++;
    if (node >= this.kind.length) this.grow(2 * node + 16);
    this.kind[node] = kind;
    this.parent[node] = parent;
    this.part[node] = part;
    this.ref[node] = ref;
    return node;
  }

  addPart(part, place) {
    const top = this.add(PART, 0, place, place);
    this.partNodes.push(top);
    const nodes = new Map();
    const inside = (owner, folder) => {
      const missing = [];
      const key = (at) => (owner + 1) * part.folderParent.length + at;
      let at = folder;
      while (!nodes.has(key(at)) && at > 0) {
        missing.push(at);
        at = part.folderParent[at];
      }
      if (!nodes.has(key(at))) nodes.set(key(at), this.add(OWNER, top, place, owner));
      let node = nodes.get(key(at));
      while (missing.length) {
        at = missing.pop();
        node = this.add(FOLDER, node, place, at);
        nodes.set(key(at), node);
      }
      return node;
    };
    const files = new Int32Array(part.files);
    for (let file = 0; file < part.files; file++) {
      files[file] = this.add(FILE, inside(part.ownerOf[file], part.folderOf[file]), place, file);
    }
    return files;
  }

  /** Makes one node of a folder and the only thing in it, if that is a folder, too. */
  joinLoneFolders() {
    const inside = new Int32Array(this.length);
    for (let node = 1; node < this.length; node++) inside[this.parent[node]]++;
    this.base = new Int32Array(this.length); // the folder that a distribution's or folder's node stands for
    const joined = Int32Array.from({ length: this.length }, (_, node) => node);
    this.isGone = new Uint8Array(this.length);
    for (let node = 1; node < this.length; node++) {
      const above = joined[this.parent[node]];
      this.parent[node] = above;
      if (this.kind[node] !== FOLDER) continue;
      this.base[node] = this.ref[node];
      if (this.kind[above] >= OWNER && inside[above] === 1) {
        joined[node] = above;
        this.isGone[node] = 1;
        this.base[above] = this.ref[node];
        inside[above] = inside[node];
      }
    }
  }

  addUp() {
    this.size = { unzipped: new Float64Array(this.length), zipped: new Float64Array(this.length) };
    this.files = new Int32Array(this.length);
    for (let node = this.length - 1; node > 0; node--) {
      if (this.kind[node] === FILE) {
        const { size } = this.parts[this.part[node]];
        this.size.unzipped[node] = size.unzipped[this.ref[node]];
        this.size.zipped[node] = size.zipped[this.ref[node]];
        this.files[node] = 1;
      }
      const above = this.parent[node];
      this.size.unzipped[above] += this.size.unzipped[node];
      this.size.zipped[above] += this.size.zipped[node];
      this.files[above] += this.files[node];
    }
  }

  collectChildren() {
    this.from = new Int32Array(this.length + 1);
    for (let node = 1; node < this.length; node++) if (!this.isGone[node]) this.from[this.parent[node] + 1]++;
    for (let node = 0; node < this.length; node++) this.from[node + 1] += this.from[node];
    this.order = new Int32Array(this.from[this.length]);
    const next = this.from.slice();
    for (let node = 1; node < this.length; node++) if (!this.isGone[node]) this.order[next[this.parent[node]]++] = node;
  }

  /** Puts the largest first everywhere; `largest` is then the largest file below each node. */
  sortBy(metric) {
    this.metric = metric;
    this.weight = this.size[metric];
    const { weight } = this;
    for (let node = 0; node < this.length; node++) {
      if (this.from[node + 1] - this.from[node] > 1) {
        this.order
          .subarray(this.from[node], this.from[node + 1])
          .sort((one, other) => weight[other] - weight[one] || one - other);
      }
    }
    this.largest = new Int32Array(this.length);
    for (let node = this.length - 1; node >= 0; node--) {
      this.largest[node] = this.isContainer(node) ? this.largest[this.order[this.from[node]]] : node;
    }
    this.filesBySize = null;
  }

  /** Returns every file, the largest first. */
  everyFile() {
    if (!this.filesBySize) {
      const { weight } = this;
      this.filesBySize = Int32Array.from(this.fileNodes.flatMap((nodes) => Array.from(nodes)));
      this.filesBySize.sort((one, other) => weight[other] - weight[one] || one - other);
    }
    return this.filesBySize;
  }

  /** Tells whether a part is the function's code: the last one, if there is one. */
  isFunction(place) {
    return this.audit.function !== null && place === this.parts.length - 1;
  }

  /** Tells whether nobody knows what a node holds: it is a part that could not be read. */
  isUnknown(node) {
    return this.kind[node] === PART && !this.parts[this.part[node]].isRead;
  }

  isContainer(node) {
    return this.from[node + 1] > this.from[node];
  }

  children(node) {
    return this.order.subarray(this.from[node], this.from[node + 1]);
  }

  /** Returns the nodes from the top of the map down to one. */
  chain(node) {
    const steps = [node];
    for (let at = node; at !== this.top && at !== 0; at = this.parent[at]) steps.push(this.parent[at]);
    return steps.reverse();
  }

  /** Returns what lies right below `above` on the way to a node; the node itself if it is that. */
  stepTowards(node, above) {
    let at = node;
    while (at !== 0 && this.parent[at] !== above) at = this.parent[at];
    return at;
  }

  label(node) {
    const part = this.parts[this.part[node]];
    switch (this.kind[node]) {
      case ROOT:
        return "stack";
      case PART:
        return part.where;
      case OWNER:
        return part.ownerName(this.ref[node]);
      case FOLDER:
        return part.folderPath(this.base[node], this.base[this.parent[node]]);
      default:
        return part.fileName(this.ref[node]);
    }
  }

  /** Returns a file's or folder's whole path; nothing for what has none. */
  path(node) {
    const part = this.parts[this.part[node]];
    if (this.kind[node] === FILE) return part.filePath(this.ref[node]);
    return this.kind[node] >= OWNER ? part.folderPath(this.base[node]) : "";
  }

  owner(node) {
    const part = this.parts[this.part[node]];
    if (this.kind[node] === FILE) return part.ownerOf[this.ref[node]];
    let at = node;
    while (this.kind[at] > OWNER) at = this.parent[at];
    return this.ref[at];
  }

  fileKind(node) {
    return this.parts[this.part[node]].kindOf[this.ref[node]];
  }

  /** Returns the node of a file by its number, counted through all parts. */
  fileNode(number) {
    let rest = number;
    for (const nodes of this.fileNodes) {
      if (rest < nodes.length) return nodes[rest];
      rest -= nodes.length;
    }
    return 0;
  }

  /** Returns, for the node of each file that a later layer overwrites, which layer does and whether content differs. */
  collectLosers() {
    const lose = new Map();
    for (const { by, of, loses, differs } of this.audit.overwritten) {
      loses.forEach((file, place) => lose.set(this.fileNodes[of][file], { by, differs: differs[place] === "1" }));
    }
    return lose;
  }

  /** Returns the path and distribution of every file by node, in lower case, for searching; made when first asked for. */
  searchable() {
    if (!this.texts) {
      this.texts = new Array(this.length);
      for (const node of this.everyFile()) {
        const owner = this.parts[this.part[node]].ownerName(this.owner(node));
        this.texts[node] = `${this.path(node)}\n${owner}`.toLowerCase();
      }
    }
    return this.texts;
  }
}
