// Puts the page together: which audit is shown, its figures on top, the theme.

class Page {
  constructor(data) {
    this.data = data;
    this.parts = [];
    const reveal = (node) => this.explorer.reveal(node);
    this.explorer = new Explorer(data);
    this.shares = new SharesTable(data.kinds, reveal);
    this.stack = new StackView(data, reveal);
    this.findings = new FindingsView(reveal);
    this.offerAudits();
    this.listenToTheme();
    this.show(0);
  }

  part(place) {
    this.parts[place] ??= new Part(this.data.parts[place], this.data.names);
    return this.parts[place];
  }

  show(place) {
    const audit = this.data.audits[place];
    const tree = new Tree(
      audit,
      this.places(audit).map((at) => this.part(at)),
    );
    this.showHead(audit, tree);
    this.stack.show(tree);
    this.findings.show(tree);
    this.explorer.show(tree);
    this.shares.show(tree);
    for (const row of document.querySelectorAll("[data-audit]"))
      row.setAttribute("aria-current", Number(row.dataset.audit) === place);
    byId("audit-select").value = String(place);
  }

  // --- several audits

  offerAudits() {
    const { audits } = this.data;
    byId("audits").hidden = byId("audit-pick").hidden = audits.length < 2;
    if (audits.length < 2) return;
    const select = byId("audit-select");
    select.append(...audits.map((audit, place) => el("option", { value: place }, this.named(audit))));
    select.addEventListener("change", () => this.show(Number(select.value)));
    byId("audits-count").textContent = String(audits.length);
    byId("audits-body").replaceChildren(...audits.map((audit, place) => this.auditRow(audit, place)));
  }

  named(audit) {
    return shown(shortened(audit.targets ? `${audit.title} — ${audit.targets}` : audit.title, 120));
  }

  auditRow(audit, place) {
    const used = this.used(audit);
    const share = used / this.data.limit;
    const choose = el(
      "button",
      { type: "button", class: "link", onclick: () => this.show(place) },
      shown(shortened(audit.title, 100)),
    );
    return el(
      "tr",
      { "data-audit": place },
      el("th", { scope: "row", class: "name" }, choose),
      el("td", {}, audit.targets || "–"),
      el("td", { class: "figure" }, this.least(audit) + mib(used)),
      el(
        "td",
        { class: "figure share-cell" },
        el("span", {}, percent(share), bar(share, { class: `bar is-${this.state(used)}` })),
      ),
      el("td", { class: "badges" }, ...this.badges(audit)),
    );
  }

  places(audit) {
    return audit.function === null ? audit.layers : [...audit.layers, audit.function];
  }

  used(audit) {
    return this.places(audit).reduce((sum, at) => sum + this.data.parts[at].unzipped, 0);
  }

  /** Returns what stands before a sum that leaves out parts that could not be read. */
  least(audit) {
    return this.places(audit).every((at) => this.data.parts[at].is_read) ? "" : "at least ";
  }

  state(used) {
    if (used >= this.data.limit) return "over";
    return used >= this.data.limit * 0.8 ? "close" : "ok";
  }

  badges(audit) {
    const found = SEVERITIES.map((severity) => [
      severity,
      audit.findings.filter((finding) => finding.severity === severity).length,
    ]);
    const some = found
      .filter(([, number]) => number)
      .map(([severity, number]) =>
        el("span", { class: `badge is-${severity}` }, icon(severity), count(number, severity)),
      );
    return some.length ? some : [el("span", { class: "badge is-ok" }, icon("ok"), "nothing to report")];
  }

  // --- the figures on top

  showHead(audit, tree) {
    const used = this.used(audit);
    const { limit } = this.data;
    const state = this.state(used);
    byId("title").textContent = shown(shortened(audit.title, 160));
    byId("targets").textContent = audit.targets;
    const others = tree.parts.map((part) => shown(shortened(part.where, 48))).filter((where) => where !== audit.title);
    byId("made-of").textContent = others.length ? `${audit.targets ? " · " : ""}${others.join(" + ")}` : "";
    document.title = `${shown(shortened(audit.title, 80))} · layerkit audit`;
    byId("meter").className = `meter is-${state}`;
    byId("meter").setAttribute("aria-valuenow", Math.min(100, Math.round((used / limit) * 100)));
    byId("meter").setAttribute("aria-valuetext", `${this.least(audit)}${mib(used)} of ${mib(limit)}, ${percent(used / limit)}`);
    const scale = Math.max(limit, used);
    byId("meter-fill").style.width = `${(used / scale) * 100}%`;
    byId("meter-close").style.left = `${((limit * 0.8) / scale) * 100}%`;
    byId("meter-excess").style.width = `${((scale - limit) / scale) * 100}%`;
    byId("meter-limit").style.left = `${(limit / scale) * 100}%`;
    byId("meter-limit").hidden = used < limit;
    byId("verdict").textContent = this.verdict(audit, used);
    byId("verdict").className = `verdict is-${state}`;
    this.showFigures(audit, tree, used);
  }

  verdict(audit, used) {
    const { limit } = this.data;
    const least = this.least(audit);
    const whole = `Lambda’s ${Math.round(limit / MIB)} MiB`;
    if (used >= limit) return `${least}${count(used - limit + 1, "byte")} over ${whole}`;
    const share = `${least}${percent(used / limit)} of ${whole}`;
    if (!least) return `${share}, ${mib(limit - 1 - used)} left`;
    const unread = this.places(audit).filter((at) => !this.data.parts[at].is_read).length;
    return `${share}; ${count(unread, "part")} could not be read`;
  }

  showFigures(audit, tree, used) {
    const zips = tree.parts.filter((part) => part.zipped !== null);
    const zipped = zips.reduce((sum, part) => sum + part.zipped, 0);
    const files = tree.parts.reduce((sum, part) => sum + part.files, 0);
    const figures = [
      [`unzipped${this.least(audit) && ", at least"}`, mib(used), `${grouped(used)} bytes`],
      ["zipped", zips.length ? mib(zipped) : "–", zips.length ? `${grouped(zipped)} bytes` : "a folder"],
      [files === 1 ? "file" : "files", grouped(files), null],
      [`of ${this.data.most_layers} layers`, String(audit.layers.length), null],
    ];
    byId("figures").replaceChildren(
      ...figures.map(([label, value, title]) => el("div", { title }, el("dd", {}, value), el("dt", {}, label))),
    );
    byId("badges").replaceChildren(...this.badges(audit));
    const worst = audit.findings.filter((finding) => finding.severity === "error").slice(0, 3);
    byId("worst").replaceChildren(
      ...worst.map((finding) => el("li", {}, icon("error"), el("span", {}, ...prose(shortened(finding.message, 220))))),
    );
    byId("worst").hidden = !worst.length;
  }

  // --- light and dark

  listenToTheme() {
    const root = document.documentElement;
    const button = byId("theme");
    const set = (theme) => {
      root.dataset.theme = theme;
      button.setAttribute("aria-pressed", theme === "dark");
      this.explorer.repaint();
    };
    button.setAttribute("aria-pressed", root.dataset.theme === "dark");
    button.addEventListener("click", () => {
      set(root.dataset.theme === "dark" ? "light" : "dark");
      this.keepTheme(root.dataset.theme);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
      if (!this.hasChosen) set(event.matches ? "dark" : "light");
    });
    this.printInLight(set);
  }

  keepTheme(theme) {
    this.hasChosen = true;
    try {
      localStorage.setItem("layerkit-theme", theme);
    } catch {
      // a sandboxed page has no storage; the theme holds as long as the page is open
    }
  }

  printInLight(set) {
    let before = null;
    addEventListener("beforeprint", () => {
      before = document.documentElement.dataset.theme;
      set("light");
    });
    addEventListener("afterprint", () => before && set(before));
  }
}

function start() {
  const element = byId("data");
  const data = JSON.parse(element.textContent);
  element.remove();
  const root = document.documentElement;
  if (data.audits.length) new Page(data);
  root.classList.add("ready");
  root.classList.toggle("js", data.audits.length > 0); // of nothing, the text tells enough
}

try {
  start();
} catch (error) {
  document.documentElement.classList.remove("js"); // an old browser: the text is there, too
  throw error;
}
