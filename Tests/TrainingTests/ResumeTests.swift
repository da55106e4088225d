import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

/// Resuming interrupted training ends in the same bits as uninterrupted training.
@Suite struct ResumeTests {
    /// Every architecture once, on a live stream that shuffles, over more than one pass of the text.
    private func sweep(_ demo: DemoModel, steps: Int = 9) throws -> [TrainingSettings] {
        let text = try demo.text()
        func settings(_ name: String, _ change: (inout TrainingSettings) -> Void) -> TrainingSettings {
            var settings = TrainingSettings(
                name: name, model: DemoModel.path, text: [text], layers: [1, 2], latents: 64, k: 4, batchTokens: 48,
                steps: steps,
                choices: .init { $0.deadAfterTokens = 100 }, context: 48, shuffleBuffer: 300, seed: 4,
                streamSeed: 7)
            change(&settings)
            return settings
        }
        return [
            settings("route") { _ in },
            settings("soft") { $0.routing = .soft },
            settings("random") { $0.architecture = .random },
            settings("mlsae") { $0.architecture = .mlsae },
            settings("crosscoder") { $0.architecture = .crosscoder },
            settings("topk") {
                $0.architecture = .topk; $0.layers = [2]; $0.choices.gradientClip = 0.1
            },
            settings("vanilla") {
                $0.architecture = .vanilla; $0.layers = [1]; $0.k = nil
            },
            settings("gated") {
                $0.architecture = .gated; $0.layers = [1]; $0.k = nil
            },
            settings("jumprelu") {
                $0.architecture = .jumprelu; $0.layers = [2]; $0.k = nil
            },
            settings("explored") {
                $0.choices.exploration = 0.7; $0.choices.finalExploration = 0.2; $0.choices.routerErrors = .own
            },
            settings("batchtopk") {
                $0.sparsity = .batchtopk; $0.choices.prefixes = [8, 32]
            },
            settings("random-batchtopk") {
                $0.architecture = .random; $0.sparsity = .batchtopk
            },
        ]
    }

    private func digest(_ path: String) throws -> String {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try catalog.contentDigest()
    }

    /// Stops training after a number of steps of this attempt.
    private func stop(after steps: Int) -> () -> Bool {
        var asked = 0
        return {
            asked += 1
            return asked > steps
        }
    }

    @Test("A stopped sweep resumes to the same bits") func aStoppedSweepEndsInTheSameBits() throws {
        let demo = try DemoModel()
        let settings = try sweep(demo)
        let whole = demo.directory.file("whole.sqlite")
        try train(settings, catalog: whole, threads: 1)
        let broken = demo.directory.file("broken.sqlite")
        let checkpoint = TrainingCheckpoint.path(besideCatalog: broken)
        #expect(throws: WorkflowError.self) {
            try train(settings, catalog: broken, threads: 2, cancelled: stop(after: 4))
        }
        #expect(try TrainingCheckpoint.read(checkpoint).record.step == 4)
        #expect(throws: WorkflowError.self) {
            try train(settings, catalog: broken, threads: 3, resuming: true, cancelled: stop(after: 3))
        }
        #expect(try TrainingCheckpoint.read(checkpoint).record.step == 7)
        let results = try train(settings, catalog: broken, threads: 2, resuming: true)
        #expect(results.count == settings.count && results.allSatisfy { $0.reports.count == 2 })
        #expect(!FileManager.default.fileExists(atPath: checkpoint))
        #expect(try digest(broken) == (try digest(whole)))
    }

    @Test("A dictionary of a sweep equals the same dictionary trained alone")
    func aDictionaryOfASweepIsWhatItWouldBeAlone() throws {
        let demo = try DemoModel()
        let settings = try sweep(demo, steps: 4)
        let together = try train(settings, catalog: demo.directory.file("together.sqlite"))
        for number in [0, 5, 7, 9, 10] {
            let alone = try train([settings[number]], catalog: demo.directory.file("\(number).sqlite"))
            #expect(alone[0].reports == together[number].reports, "\(together[number].name)")
        }
    }

    /// A job is killed without warning: work since its last checkpoint is repeated, even if it is in the
    /// catalog. Catalog and checkpoint are copied at every step, as a crash would leave them.
    @Test("Resuming training interrupted at any step gives the same bits") func anyMomentWillDo() throws {
        let demo = try DemoModel()
        let settings = Array(try sweep(demo, steps: 5).prefix(2))
        let path = demo.directory.file("c.sqlite")
        let files = FileManager.default
        var copies = 0
        try train(
            settings, catalog: path, everySteps: 2,
            cancelled: {
                for suffix in ["", "-wal", ".checkpoint"] where files.fileExists(atPath: path + suffix) {
                    try? files.copyItem(
                        atPath: path + suffix, toPath: demo.directory.file("copy\(copies).sqlite") + suffix)
                }
                copies += 1
                return false
            })
        #expect(copies == 5)
        let expected = try digest(path)
        for copy in 0..<copies {
            let path = demo.directory.file("copy\(copy).sqlite")
            // The process that wrote it is this one, which is alive; a killed one is not.
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            for run in try catalog.runs() { try catalog.finishRun(run.runID, status: .interrupted, error: "killed") }
            _ = try catalog.close()
            try train(settings, catalog: path, resuming: true)
            #expect(try digest(path) == expected, "after \(copy) steps")
        }
    }

    @Test func aDamagedCheckpointIsRefused() throws {
        let demo = try DemoModel()
        let settings = Array(try sweep(demo).prefix(1))
        let path = demo.directory.file("c.sqlite")
        #expect(throws: WorkflowError.self) { try train(settings, catalog: path, cancelled: stop(after: 2)) }
        let checkpoint = TrainingCheckpoint.path(besideCatalog: path)
        let whole = try Data(contentsOf: URL(filePath: checkpoint))
        var generator = CounterGenerator(seed: 1)
        for trial in 0..<200 {
            var bytes = whole
            let place = trial < 40 ? trial * 97 % 4000 : generator.index(below: bytes.count)
            bytes[bytes.startIndex + place] ^= UInt8(1 << generator.index(below: 8))
            try bytes.write(to: URL(filePath: checkpoint))
            let error = #expect(throws: (any Error).self, "byte \(place)") { try TrainingCheckpoint.read(checkpoint) }
            #expect("\(error.map { "\($0)" } ?? "")".hasPrefix(checkpoint))
        }
        for length in [0, 1, 7, 100, whole.count / 2, whole.count - 1] {
            try whole.prefix(length).write(to: URL(filePath: checkpoint))
            #expect(throws: (any Error).self) { try TrainingCheckpoint.read(checkpoint) }
        }
        try FileManager.default.removeItem(atPath: checkpoint)
        #expect(
            throws: WorkflowError.missing(path: checkpoint, what: "checkpoint; there is nothing to resume")
        ) { try TrainingCheckpoint.read(checkpoint) }
    }

    @Test func aCheckpointOfOtherSettingsOrInputsIsRefused() throws {
        let demo = try DemoModel()
        let settings = Array(try sweep(demo).prefix(2))
        let path = demo.directory.file("c.sqlite")
        #expect(throws: WorkflowError.self) { try train(settings, catalog: path, cancelled: stop(after: 2)) }
        func refusal(_ settings: [TrainingSettings]) -> String {
            let error = #expect(throws: WorkflowError.self) { try train(settings, catalog: path, resuming: true) }
            guard case .refused(let reason)? = error else { return "\(String(describing: error))" }
            return reason
        }

        var other = settings
        other[1].k = 5
        #expect(refusal(other).contains("dictionary 2: k is 5, was 4"))
        #expect(refusal([settings[0]]).contains("checkpoint of 2 dictionaries, 1 are asked for"))
        let text = settings[0].text[0]
        let before = try String(contentsOfFile: text, encoding: .utf8)
        try before.replacing("In the beginning", with: "In the end").write(
            toFile: text, atomically: true, encoding: .utf8)
        #expect(refusal(settings).contains("is not what it was when training began"))
        try before.write(toFile: text, atomically: true, encoding: .utf8)
        try train(settings, catalog: path, resuming: true)
    }

    // MARK: Text that is mended meanwhile

    /// Many documents, of which a few steps read some.
    private func manyTexts() -> [String] {
        (0..<2000).map { "\($0). And Salah lived \($0 * 37 % 101) years, and begat Eber, and died in the land." }
    }

    private func settings(_ text: String, shuffle: Bool, steps: Int = 8) -> TrainingSettings {
        TrainingSettings(
            name: "mended", model: DemoModel.path, text: [text], layers: [1, 2], latents: 64, k: 4, batchTokens: 2048,
            steps: steps, context: 48, shuffle: shuffle, shuffleBuffer: shuffle ? 2048 : nil, seed: 4)
    }

    /// Writes texts in place, as an editor or `sed` may.
    private func write(_ texts: [String], to path: String) throws {
        let lines = try texts.map {
            String(decoding: try JSONSerialization.data(withJSONObject: ["text": $0]), as: UTF8.self)
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
    }

    /// The documents read after some steps: changing these prevents resuming.
    @Test("Text not read yet may be corrected before resuming", arguments: [false, true])
    func whatIsNotReadYetMayBeMended(shuffle: Bool) throws {
        let demo = try DemoModel()
        let text = demo.directory.file("a.jsonl")
        let texts = manyTexts()
        try write(texts, to: text)
        let settings = settings(text, shuffle: shuffle)
        let path = demo.directory.file("c.sqlite")
        let kept = demo.directory.file("kept")
        #expect(throws: WorkflowError.self) { try train([settings], catalog: path, cancelled: stop(after: 3)) }
        for suffix in ["", ".checkpoint"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: kept + suffix)
        }

        var outcomes: [Bool] = []
        for document in stride(from: 0, to: texts.count, by: 160) {
            for suffix in ["", ".checkpoint"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
                try FileManager.default.copyItem(atPath: kept + suffix, toPath: path + suffix)
            }

            var mended = texts
            mended[document] = "Another text altogether, longer than the one before it."
            try write(mended, to: text)
            do {
                let result = try train([settings], catalog: path, resuming: true)
                outcomes.append(true)
                guard outcomes.count(where: { $0 }) == 1 else { continue }
                // The run is what it would have been on this text from the start, and the ledger says so.
                let whole = demo.directory.file("whole\(document).sqlite")
                let expected = try train([settings], catalog: whole)
                #expect(Array(expected[0].reports.suffix(5)) == result[0].reports)
                #expect(try digest(path) == (try digest(whole)), "document \(document)")
            } catch WorkflowError.refused(let reason) {
                #expect(reason.contains("only documents that training has not read yet may differ"))
                outcomes.append(false)
            }
        }
        // What was read is refused, the rest is not; in order, that is the beginning.
        #expect(outcomes.contains(true) && outcomes.contains(false))
        if !shuffle { #expect(outcomes == outcomes.sorted { !$0 && $1 }) }
        // Documents that were added come after the others, unless all are drawn from.
        for suffix in ["", ".checkpoint"] {
            try? FileManager.default.removeItem(atPath: path + suffix)
            try FileManager.default.copyItem(atPath: kept + suffix, toPath: path + suffix)
        }
        try write(texts + ["And more."], to: text)
        if shuffle {
            #expect(throws: WorkflowError.self) { try train([settings], catalog: path, resuming: true) }
        } else {
            try train([settings], catalog: path, resuming: true)
        }
    }

    /// A record that becomes invalid while training reads the file: the checkpoint resumes once it is corrected.
    @Test("A record that becomes invalid during training keeps the checkpoint", arguments: [false, true])
    func aRecordThatWentBadKeepsTheCheckpoint(shuffle: Bool) throws {
        let demo = try DemoModel()
        let text = demo.directory.file("a.jsonl")
        let texts = manyTexts()
        try write(texts, to: text)
        let settings = settings(text, shuffle: shuffle)
        let whole = demo.directory.file("whole.sqlite")
        try train([settings], catalog: whole)
        let path = demo.directory.file("c.sqlite")
        var bad = texts
        for place in 100..<texts.count { bad[place] = "x" + bad[place].dropFirst() }
        var asked = 0
        let error = #expect(throws: WorkflowError.self) {
            try train([settings], catalog: path) {
                asked += 1
                if asked == 2 { try? write(bad, to: text) }
                return false
            }
        }
        guard case .badInput(let place, let problem)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(place.hasPrefix(text + ":") && problem.hasPrefix("has changed since this run began to read it"))
        #expect(problem.contains("`resume` goes on once this is put right"))
        #expect(try TrainingCheckpoint.read(path + ".checkpoint").record.step >= 1)
        try write(texts, to: text)
        try train([settings], catalog: path, resuming: true)
        #expect(try digest(path) == (try digest(whole)))
    }

    @Test("A dictionary whose loss is not finite is dropped from the sweep")
    func aDictionaryWhoseLossIsNotFiniteDropsOut() throws {
        let demo = try DemoModel()
        var settings = Array(try sweep(demo, steps: 12).prefix(3))
        settings[1].choices.learningRate = 1e38
        let path = demo.directory.file("c.sqlite")
        let alone = demo.directory.file("alone.sqlite")
        let results = try train(settings, catalog: path)
        #expect(results.map(\.name) == ["route", "random"])
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        #expect(try catalog.runs().map(\.status) == [.complete, .failed, .complete])
        #expect(try catalog.run(2).error?.contains("the loss is not finite at step") == true)
        #expect(try catalog.dictionaries().map(\.name) == ["route", "random"])
        // The only one of a job ends it, and the checkpoint of the last sound step is kept: the first step's rate is 0.
        settings[1].steps = 40
        #expect(throws: (any Error).self) { try train([settings[1]], catalog: alone, everySteps: 1) }
        #expect(try TrainingCheckpoint.read(alone + ".checkpoint").record.step >= 1)
    }
}
