// Undo by snapshot. States are never changed in place, so that keeping one costs nothing.
const MOST = 200;
const SAME_STROKE_MS = 1500;

export class History {
  constructor(state) {
    this.states = [state];
    this.at = 0;
    this.stroke = { key: "", time: 0 };
  }

  get state() {
    return this.states[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  // Typing in one place is one step: changes with the same key join while they follow quickly.
  push(state, key = "") {
    const time = Date.now();
    const isJoined = key && key === this.stroke.key && time - this.stroke.time < SAME_STROKE_MS && this.at > 0;
    this.states.length = this.at + 1;
    if (isJoined) this.states[this.at] = state;
    else this.states.push(state);
    this.states = this.states.slice(-MOST);
    this.at = this.states.length - 1;
    this.stroke = { key, time };
  }

  undo() {
    return this.#go(-1);
  }

  redo() {
    return this.#go(1);
  }

  #go(by) {
    if (!(this.at + by in this.states)) return false;
    this.at += by;
    this.stroke = { key: "", time: 0 };
    return true;
  }
}
