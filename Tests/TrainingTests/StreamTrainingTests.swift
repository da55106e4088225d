import ActivationPipeline
import FeatureCatalog
import Foundation
import SparseTraining
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

/// Training on a stream of activations.
@Suite struct StreamTrainingTests {
    /// One dictionary of each kind of reading.
    private func sweep(_ world: StreamWorld, shuffleBuffer: Int?) -> [TrainingSettings] {
        [
            world.settings(shuffleBuffer: shuffleBuffer) {
                $0.name = "route"; $0.layers = [2, 7]
            },
            world.settings(shuffleBuffer: shuffleBuffer) {
                $0.name = "random"; $0.architecture = .random
            },
            world.settings(shuffleBuffer: shuffleBuffer) {
                $0.name = "mlsae"; $0.architecture = .mlsae
            },
            world.settings(shuffleBuffer: shuffleBuffer) {
                $0.name = "jumprelu"
                $0.architecture = .jumprelu
                $0.layers = [5]
                $0.k = nil
            },
        ]
    }

    @Test("A stream and files give the same bits", arguments: [nil, 24, 40, 1000], [false, true])
    func aStreamAndFilesGiveTheSameBits(shuffleBuffer: Int?, withBOS: Bool) throws {
        let world = try StreamWorld()
        // 16 of 240 rows are BOS: 216 or 240 tokens.
        var settings = sweep(world, shuffleBuffer: shuffleBuffer)
        for place in settings.indices { settings[place].includesBOS = withBOS }
        try world.train(settings, "stream.sqlite", on: try world.stream())
        let streamed = try world.results("stream.sqlite")
        #expect(streamed.count > 36)
        // Of several files read without a buffer, a token's random draws depend on its file.
        for counts in shuffleBuffer == nil ? [[240]] : [[240], [100, 1, 139]] {
            let files = try world.files(counts)
            for place in settings.indices { settings[place].activations = files }
            try train(settings, catalog: world.directory.file("files.sqlite"))
            #expect(try world.results("files.sqlite") == streamed)
        }
    }

    @Test func filesAreShuffledAsAWholeUnlessABufferIsAskedFor() throws {
        let world = try StreamWorld()
        var settings = [world.settings { $0.activations = (try? world.files()) ?? [] }]
        try train(settings, catalog: world.directory.file("buffer.sqlite"))
        settings[0].shuffleBuffer = nil
        try train(settings, catalog: world.directory.file("whole.sqlite"))
        #expect(try world.results("buffer.sqlite") != world.results("whole.sqlite"))
    }

    @Test("Cut off anywhere, and resumed from the beginning or from a block, training ends in the same bits")
    func cutOffAnywhereItEndsInTheSameBits() throws {
        let world = try StreamWorld()
        let bytes = try world.stream()
        for buffer in [40, nil] {
            let settings = [world.settings(shuffleBuffer: buffer)]
            try world.train(settings, "whole.sqlite", on: bytes)
            let expected = try world.results("whole.sqlite")
            var restarts: Set<Int> = []
            for cut in stride(from: 2500, to: bytes.count - 1000, by: 797) {
                let line = try interruption { try world.train(settings, "cut.sqlite", on: Array(bytes.prefix(cut))) }
                #expect(line.contains("the stream was cut off after row") && line.contains("`resume` goes on with"))
                let place = line.firstMatch(of: /from row ([0-9]+) on/).flatMap { Int($0.1) } ?? 0
                restarts.insert(place)
                try world.train(settings, "cut.sqlite", on: try world.stream(from: place), resuming: true)
                #expect(try world.results("cut.sqlite") == expected, "cut at \(cut), from \(place)")
                // Once more, from the beginning of the stream.
                _ = try interruption { try world.train(settings, "cut.sqlite", on: Array(bytes.prefix(cut))) }
                try world.train(settings, "cut.sqlite", on: bytes, resuming: true)
                #expect(try world.results("cut.sqlite") == expected, "cut at \(cut)")
            }
            #expect(restarts.count > 3)
        }
    }

    @Test func damagedOnTheWayItStopsWithACheckpoint() throws {
        let world = try StreamWorld()
        var bytes = try world.stream()
        try world.train([world.settings()], "whole.sqlite", on: bytes)
        let place = bytes.count * 2 / 3
        bytes[place] ^= 4
        let line = try interruption { try world.train([world.settings()], "c.sqlite", on: bytes) }
        #expect(line.contains("does not match its checksum"))
        // And once more, while it skips what it has read.
        bytes[2000] ^= 4
        #expect(
            try interruption { try world.train([world.settings()], "c.sqlite", on: bytes, resuming: true) }
                .contains("does not match its checksum"))
        bytes[2000] ^= 4
        bytes[place] ^= 4
        try world.train([world.settings()], "c.sqlite", on: bytes, resuming: true)
        #expect(try world.results("c.sqlite") == world.results("whole.sqlite"))
    }

    @Test func stoppedByTheUserItResumesToTheSameBits() throws {
        let world = try StreamWorld()
        let (settings, bytes) = (sweep(world, shuffleBuffer: 40), try world.stream())
        try world.train(settings, "whole.sqlite", on: bytes)
        for steps in 1..<9 {
            var asked = 0
            _ = try interruption {
                try world.train(
                    settings, "c.sqlite", on: bytes,
                    cancelled: {
                        asked += 1
                        return asked > steps
                    })
            }
            try world.train(settings, "c.sqlite", on: bytes, resuming: true)
            #expect(try world.results("c.sqlite") == world.results("whole.sqlite"), "after \(steps) steps")
        }
    }

    @Test func anotherStreamIsRefused() throws {
        let world = try StreamWorld()
        let settings = [world.settings()]
        let bytes = try world.stream()
        _ = try interruption { try world.train(settings, "c.sqlite", on: Array(bytes.prefix(bytes.count * 3 / 4))) }
        func problem(_ bytes: [UInt8]) -> String {
            let error = #expect(throws: (any Error).self) {
                try world.train(settings, "c.sqlite", on: bytes, resuming: true)
            }
            return error.map { "\($0)" } ?? ""
        }
        #expect(problem(try world.stream(model: "n")).contains("another stream (model is n, was m)"))
        #expect(problem(try world.stream { $0[40] += 1 }).contains("are not those that training read"))
        #expect(problem(try world.stream(from: 224)).contains("begins at row 224; training goes on at row"))
        #expect(problem(try world.stream(rows: 16)).contains("are not those that training read"))
        try world.train(settings, "c.sqlite", on: bytes, resuming: true)
    }

    @Test func aBlockThatWasReadInPartHasToBeTheSame() throws {
        let world = try StreamWorld()
        let settings = [world.settings(shuffleBuffer: nil)]
        let bytes = try world.stream()
        try world.train(settings, "whole.sqlite", on: bytes)
        let line = try interruption {
            try world.train(settings, "c.sqlite", on: Array(bytes.prefix(bytes.count * 3 / 4)))
        }
        let restart = try #require(line.firstMatch(of: /from row ([0-9]+) on/).flatMap { Int($0.1) })
        let other = try world.stream(from: restart) { $0[(restart + 1) * 24] += 1 }
        #expect(throws: TrainingError.self) { try world.train(settings, "c.sqlite", on: other, resuming: true) }
        try world.train(settings, "c.sqlite", on: try world.stream(from: restart), resuming: true)
        #expect(try world.results("c.sqlite") == world.results("whole.sqlite"))
    }

    @Test func aStreamTooShortIsRefused() throws {
        let world = try StreamWorld()
        let settings = [world.settings(steps: 10)]
        // 224 of 240 rows are tokens of the text, 10 steps need 240.
        let error = #expect(throws: TrainingError.self) {
            try world.train(settings, "c.sqlite", on: try world.stream())
        }
        #expect("\(try #require(error))".contains("complete after 240 rows, which are fewer than training needs"))
        #expect(throws: WorkflowError.self) {
            try world.train(settings, "none.sqlite", on: try world.stream(rows: 200, announced: 200))
        }
        #expect(!FileManager.default.fileExists(atPath: world.directory.file("none.sqlite")))
        // A longer one trains, and has not to be whole.
        try world.train(settings, "c.sqlite", on: Array(try world.stream(rows: 400).dropLast(500)))
    }

    @Test func aStreamThatGoesOnWhereItHadEndedIsRefused() throws {
        let world = try StreamWorld()
        // The buffer holds all rows, so the end has been seen by the first step.
        let settings = [world.settings(shuffleBuffer: 1000)]
        var asked = 0
        _ = try interruption {
            try world.train(
                settings, "c.sqlite", on: try world.stream(),
                cancelled: {
                    asked += 1
                    return asked > 3
                })
        }
        let error = #expect(throws: TrainingError.self) {
            try world.train(settings, "c.sqlite", on: try world.stream(rows: 250), resuming: true)
        }
        #expect("\(try #require(error))".contains("goes on after row 240"), "\(String(describing: error))")
        try world.train(settings, "c.sqlite", on: try world.stream(), resuming: true)
        try world.train(settings, "whole.sqlite", on: try world.stream())
        #expect(try world.results("c.sqlite") == world.results("whole.sqlite"))
    }

    @Test func unusableStreamsAreRefusedBeforeAnythingIsWritten() throws {
        let world = try StreamWorld()
        func kind(_ bytes: [UInt8], _ settings: TrainingSettings? = nil) -> FailureKind? {
            let error = #expect(throws: (any Error).self) {
                try world.train([settings ?? world.settings()], "none.sqlite", on: bytes)
            }
            return error.flatMap { FailureKind($0) }
        }
        let bytes = try world.stream()
        #expect(kind([]) == .badInput)
        #expect(kind(try world.stream(from: 16)) == .badInput)
        #expect(kind(try world.stream(rows: 0)) == .badInput)
        #expect(kind(bytes, world.settings { $0.layers = [2, 3] }) == .usage)
        #expect(kind(bytes, world.settings { $0.activations = ["-", "a.safetensors"] }) == .usage)
        #expect(kind(bytes, world.settings { $0.text = ["t"] }) == .usage)
        #expect(kind(bytes, world.settings { $0.shuffle = false }) == .usage)
        #expect(kind(Array(bytes.prefix(1000))) == .interrupted)
        #expect(!FileManager.default.fileExists(atPath: world.directory.file("none.sqlite")))
        #expect(!FileManager.default.fileExists(atPath: world.directory.file("none.sqlite.checkpoint")))
    }

    @Test func activationsThatAreNotFiniteStopTrainingAndAreNamed() throws {
        let world = try StreamWorld()
        let bytes = try world.stream { $0[200 * 24 + 9] = .nan }
        let error = #expect(throws: WorkflowError.self) { try world.train([world.settings()], "c.sqlite", on: bytes) }
        #expect(error.flatMap { FailureKind($0) } == .badInput)
        #expect("\(try #require(error))".contains("row 200 of the stream: an activation holds an infinity or a NaN"))
        try world.train([world.settings()], "c.sqlite", on: try world.stream(), resuming: true)
    }

    @Test func theRunNamesTheStream() throws {
        let world = try StreamWorld()
        try world.train([world.settings()], "c.sqlite", on: try world.stream())
        try world.train([world.settings()], "d.sqlite", on: try world.stream(rows: 400))
        try world.train([world.settings()], "e.sqlite", on: try world.stream(model: "n"))
        let inputs = try ["c", "d", "e"].map { name in
            let catalog = try Catalog.open(at: world.directory.file(name + ".sqlite"), mode: .readOnly)
            defer { _ = try? catalog.close() }
            return try catalog.runInputs(1)
        }
        #expect(inputs[0].map(\.name) == ["stream of m"] && inputs[0].map(\.role) == ["activations"])
        #expect(inputs[0].map(\.sha256) == inputs[1].map(\.sha256))
        #expect(inputs[0].map(\.sha256) != inputs[2].map(\.sha256))
    }

    /// The line of an interruption that can be resumed.
    private func interruption(_ body: () throws -> Void) throws -> String {
        let error = #expect(throws: WorkflowError.self) { try body() }
        guard case .interrupted(let line)? = error else {
            Issue.record("\(String(describing: error))")
            return ""
        }
        #expect(!line.contains("\n"))
        return line
    }
}
