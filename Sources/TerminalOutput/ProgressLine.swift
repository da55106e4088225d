import Foundation
import Synchronization

/// Shows the progress of a long task on standard error.
///
/// On a terminal one line is rewritten, at most ten times a second: percentage, count, rate, remaining time, and fields
/// that the task reports. Elsewhere, such as in a log, a whole line is written from time to time. Safe to use from any
/// thread.
package final class ProgressLine: Sendable {
    private let label: String
    private let total: Int?
    private let style: TerminalStyle
    private let isQuiet: Bool
    private let interval: Double
    private let clock: @Sendable () -> Double
    private let write: @Sendable (String) -> Void
    private let state: Mutex<State>

    private struct State {
        let start: Double
        let initial: Int
        var lastDrawn: Double?
        var done: Int
        var fields: [(name: String, value: String)] = []
        var isFinished = false
    }

    /// Starts measuring.
    ///
    /// - Parameters:
    ///   - label: the task, in a word or two.
    ///   - total: the number of steps; `nil` if it is unknown.
    ///   - done: the steps of earlier attempts, when a task is resumed; they do not count for the rate.
    ///   - isQuiet: writes nothing at all.
    package convenience init(label: String, total: Int?, done: Int = 0, isQuiet: Bool = false) {
        self.init(
            label: label, total: total, done: done, isQuiet: isQuiet, style: .standardError(), plainInterval: 10,
            clock: {
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
            },
            write: { FileHandle.standardError.write(Data($0.utf8)) }
        )
    }

    /// Starts measuring with a given clock in seconds and a given output.
    package init(
        label: String,
        total: Int?,
        done: Int = 0,
        isQuiet: Bool = false,
        style: TerminalStyle,
        plainInterval: Double = 10,
        clock: @escaping @Sendable () -> Double,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.label = VisibleText.of(label)
        self.total = total
        self.style = style
        self.isQuiet = isQuiet
        interval = style.rewritesLines ? 0.1 : plainInterval
        self.clock = clock
        self.write = write
        // A log shows no line at 0; a terminal shows one at once.
        let now = clock()
        state = Mutex(State(start: now, initial: done, lastDrawn: style.rewritesLines ? nil : now, done: done))
    }

    /// Reports the total of steps done, with fields such as the loss to show behind it.
    package func update(_ done: Int, fields: [(name: String, value: String)] = []) {
        guard !isQuiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            state.done = done
            state.fields = fields
            let now = clock()
            if let last = state.lastDrawn, now - last < interval { return }
            state.lastDrawn = now
            draw(line(state, now: now))
        }
    }

    /// Writes a line of its own above the progress, such as a warning.
    package func note(_ text: String) {
        guard !isQuiet else { return }
        state.withLock { state in
            write((style.rewritesLines ? "\r\u{1B}[K" : "") + VisibleText.of(text) + "\n")
            if style.rewritesLines, !state.isFinished, state.lastDrawn != nil { draw(line(state, now: clock())) }
        }
    }

    /// Ends the line with the count reached and the time taken. Does nothing the second time.
    package func finish() {
        guard !isQuiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            let elapsed = clock() - state.start
            var parts = [label, Quantities.count(state.done)]
            if elapsed > 0 { parts.append(Quantities.rate(Double(state.done - state.initial) / elapsed)) }
            parts.append("in " + Quantities.duration(seconds: elapsed))
            parts += Self.texts(state.fields)
            draw(parts.joined(separator: "  "))
            if style.rewritesLines { write("\n") }
        }
    }

    /// Ends without a word, for a task that failed: on a terminal the line is wiped away for the message.
    package func abandon() {
        guard !isQuiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            if style.rewritesLines, state.lastDrawn != nil { write("\r\u{1B}[K") }
        }
    }

    private func line(_ state: State, now: Double) -> String {
        var parts = [label]
        let elapsed = now - state.start
        let rate = elapsed > 0 ? Double(state.done - state.initial) / elapsed : 0
        if let total, total > 0 {
            parts.append(Quantities.percentage(min(1, max(0, Double(state.done) / Double(total)))))
            parts.append("\(Quantities.count(state.done))/\(Quantities.count(total))")
        } else {
            parts.append(Quantities.count(state.done))
        }
        if rate > 0 {
            parts.append(Quantities.rate(rate))
            if let total, total > state.done {
                parts.append(Quantities.duration(seconds: Double(total - state.done) / rate) + " left")
            }
        }
        return (parts + Self.texts(state.fields)).joined(separator: "  ")
    }

    private static func texts(_ fields: [(name: String, value: String)]) -> [String] {
        fields.map { VisibleText.of("\($0.name) \($0.value)") }
    }

    /// Writes the line over the previous one, or below it if the output cannot rewrite lines.
    private func draw(_ line: String) {
        guard style.rewritesLines else { return write(line + "\n") }
        // A line that wraps could not be rewritten.
        let cut = style.width.map { DisplayWidth.cut(line, to: max(1, $0 - 1)) } ?? line
        write("\r" + cut + "\u{1B}[K")
    }
}
