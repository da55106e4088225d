import Synchronization
import TerminalOutput
import Testing

struct ProgressLineTests {
    /// A clock set by hand and a terminal that records.
    private final class Stage: Sendable {
        let time = Mutex(0.0)
        let output = Mutex<[String]>([])

        var lines: [String] { output.withLock { $0 } }
        func set(_ seconds: Double) { time.withLock { $0 = seconds } }

        func line(total: Int?, done: Int = 0, isQuiet: Bool = false, style: TerminalStyle) -> ProgressLine {
            ProgressLine(
                label: "train", total: total, done: done, isQuiet: isQuiet, style: style,
                clock: { self.time.withLock { $0 } }, write: { text in self.output.withLock { $0.append(text) } })
        }
    }

    private let terminal = TerminalStyle(isTerminal: true, width: 80)

    @Test("A terminal's progress line is rewritten") func aTerminalsLineIsRewritten() {
        let stage = Stage()
        let line = stage.line(total: 5000, style: terminal)
        line.update(0)
        stage.set(0.05)
        line.update(10)
        stage.set(10)
        line.update(1000, fields: [("loss", "0.123\u{1B}")])
        stage.set(20)
        line.finish()
        line.finish()
        line.update(9)
        #expect(
            stage.lines == [
                "\rtrain  0.0 %  0/5000\u{1B}[K",
                "\rtrain  20.0 %  1000/5000  100/s  40 s left  loss 0.123␛\u{1B}[K",
                "\rtrain  1000  50/s  in 20 s  loss 0.123␛\u{1B}[K", "\n",
            ])
    }

    @Test("A log gets a line from time to time") func aLogGetsALineNowAndThen() {
        let stage = Stage()
        let line = stage.line(total: nil, style: .plain)
        for second in 0..<25 {
            stage.set(Double(second))
            line.update(second * 10)
        }
        line.note("a\u{1B}b")
        line.finish()
        #expect(
            stage.lines == [
                "train  100  10/s\n", "train  200  10/s\n", "a␛b\n", "train  240  10/s  in 24 s\n",
            ])
    }

    @Test func aResumedTaskCountsItsOwnStepsForTheRate() {
        let stage = Stage()
        let line = stage.line(total: 200, done: 100, style: .plain)
        stage.set(10)
        line.update(150)
        #expect(stage.lines == ["train  75.0 %  150/200  5/s  10 s left\n"])
    }

    @Test("Quiet prints nothing") func quietIsQuiet() {
        let stage = Stage()
        let line = stage.line(total: 10, isQuiet: true, style: terminal)
        line.update(5)
        line.note("x")
        line.finish()
        #expect(stage.lines.isEmpty)
    }

    @Test("A note is printed above the line, and long lines do not wrap")
    func aNoteStandsAboveTheLineAndLongLinesDoNotWrap() {
        let stage = Stage()
        let line = stage.line(total: 10, style: TerminalStyle(isTerminal: true, width: 12))
        line.update(5)
        line.note("careful")
        #expect(
            stage.lines == ["\rtrain  50.…\u{1B}[K", "\r\u{1B}[Kcareful\n", "\rtrain  50.…\u{1B}[K"])
    }

    @Test func manyThreadsMayReport() async {
        let stage = Stage()
        let line = stage.line(total: 1000, style: terminal)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for step in 0..<100 {
                        stage.set(Double(task * 100 + step))
                        line.update(step)
                    }
                }
            }
        }
        line.finish()
        #expect(stage.lines.dropLast().allSatisfy { $0.hasPrefix("\rtrain") && $0.hasSuffix("\u{1B}[K") })
        #expect(stage.lines.last == "\n")
    }
}
