import Foundation
import RouteSAE
import TestSupport
import Testing
import WorkflowWorlds

/// The library as another package sees it: no `package` symbol is used but to check the results.
@Suite struct LibraryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Activations of two layers that are the same every time.
    private func activations(tokens: Int) throws -> Activations {
        let values = (0..<tokens * 2 * 8).map { Float(($0 &* 7919) % 101) / 101 }
        return try Activations(values, layers: [0, 1], dModel: 8)
    }

    private func configuration() -> TrainingConfiguration {
        var configuration = TrainingConfiguration(latents: 32, k: 4, tokens: 1024)
        configuration.batchTokens = 256
        return configuration
    }

    @Test func trainsFromAStreamAndEncodesWithTheSameBitsWhateverTheThreads() throws {
        let batch = try activations(tokens: 300)
        var names: [String] = []
        var encoded: [[RouteSAE.TokenLatents]] = []
        for threads in [1, 2] {
            let catalog = try Catalog(creating: directory.file("threads-\(threads).sqlite"))
            var steps: [Int] = []
            let dictionary = try catalog.train(configuration(), on: [batch], threads: threads) { step, total in
                steps.append(step)
                #expect(total == 4)
            }
            #expect(steps == [1, 2, 3, 4])
            #expect(dictionary.layers == [0, 1] && dictionary.dModel == 8 && dictionary.latentCount == 32)
            names += try catalog.dictionaryNames
            encoded.append(try dictionary.encode(batch, threads: threads))
            try catalog.close()
        }
        #expect(Set(names).count == 1 && encoded[0] == encoded[1])
        for token in encoded[0] {
            #expect(token.indices.count <= 4 && token.indices == token.indices.sorted())
            #expect(token.activations.count == token.indices.count && token.layers.allSatisfy { [0, 1].contains($0) })
        }
        #expect(encoded[0].contains { !$0.indices.isEmpty })
    }

    @Test func howTheStreamIsCutIntoPartsChangesNoBit() throws {
        let whole = try activations(tokens: 300)
        let parts = try [0..<100, 100..<101, 101..<300].map { range in
            try Activations(
                Array(whole.values[range.lowerBound * 16..<range.upperBound * 16]), layers: [0, 1], dModel: 8)
        }
        let vectors = try [[whole], parts].enumerated().map { number, stream in
            let catalog = try Catalog(creating: directory.file("cut-\(number).sqlite"))
            let dictionary = try catalog.train(configuration(), on: stream)
            return (0..<32).map(dictionary.decoderVector(of:))
        }
        #expect(vectors[0] == vectors[1])
    }

    @Test func trainingLeavesTheCheckpointOfTheCommandLineAlone() throws {
        let path = directory.file("kept.sqlite")
        try "resumable".write(toFile: path + ".checkpoint", atomically: true, encoding: .utf8)
        let catalog = try Catalog(creating: path)
        let batch = try activations(tokens: 4)
        _ = try catalog.train(configuration(), on: [batch])
        #expect(throws: RouteSAEError.self) { try catalog.train(configuration(), on: [batch], cancelled: { true }) }
        try catalog.close()
        #expect(try String(contentsOfFile: path + ".checkpoint", encoding: .utf8) == "resumable")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(files.filter { $0.hasPrefix("kept") }.sorted() == ["kept.sqlite", "kept.sqlite.checkpoint"])
    }

    /// A token's layer follows from its position, in training and in encoding alike, and pieces change nothing.
    @Test func aRandomDictionaryDrawsLayersByPosition() throws {
        let catalog = try Catalog(creating: directory.file("random.sqlite"))
        var random = configuration()
        random.architecture = "random"
        let dictionary = try catalog.train(random, on: [try activations(tokens: 300)])
        let encoded = try dictionary.encode(try activations(tokens: 1500))
        #expect(encoded.count == 1500)
        #expect(Set(encoded.compactMap(\.layers.first)) == [0, 1])
        #expect(try dictionary.encode(try activations(tokens: 30)) == Array(encoded.prefix(30)))
    }

    @Test func aDictionaryIsFoundByNameBeforeNumber() throws {
        let catalog = try Catalog(creating: directory.file("names.sqlite"))
        for (name, latents) in [("2", 16), ("other", 32)] {
            var named = TrainingConfiguration(latents: latents, k: 4, tokens: 256)
            (named.name, named.batchTokens) = (name, 256)
            _ = try catalog.train(named, on: [try activations(tokens: 4)])
        }
        #expect(try catalog.dictionary("2").latentCount == 16)
        #expect(try catalog.dictionary("1").latentCount == 16)
    }

    @Test func aDictionaryReadBackEncodesAsTheOneTrained() throws {
        let path = directory.file("back.sqlite")
        let batch = try activations(tokens: 40)
        let catalog = try Catalog(creating: path)
        let trained = try catalog.train(configuration(), on: [batch])
        try catalog.close()
        let read = try Catalog(opening: path).dictionary(trained.name)
        #expect(try read.encode(batch) == trained.encode(batch))
    }

    @Test func listsFeaturesAndContextsOfAnIndexedCatalog() throws {
        let model = try TinyModel()
        let catalog = try Catalog(opening: try model.catalog("indexed.sqlite"))
        let features = try catalog.features(sortedBy: "max_activation", limit: 5)
        #expect(!features.isEmpty)
        #expect(features.map { $0.maxActivation ?? 0 } == features.map { $0.maxActivation ?? 0 }.sorted(by: >))
        let first = try #require(features.first)
        let context = try #require(try catalog.contexts(of: first.index).first)
        #expect(context.activation == context.activations[context.peak])
        #expect(context.tokens.count == context.activations.count)
        #expect(Double(context.activation) == first.maxActivation)
        #expect(throws: RouteSAEError.self) { try catalog.features(where: ["n_fired > 0"], limit: -1) }
        let few = try catalog.features(where: ["n_fired > \(first.firedCount - 1)"])
        #expect(few.contains(first) && few.allSatisfy { $0.firedCount >= first.firedCount })
    }

    @Test func errorsSayWhatKindTheyAre() throws {
        func code(_ body: () throws -> Void) -> RouteSAEError.Code? {
            do { try body() } catch { return (error as? RouteSAEError)?.code }
            return nil
        }
        #expect(code { _ = try Catalog(opening: directory.file("none.sqlite")) } == .missing)
        #expect(code { _ = try Activations([1, 2, 3], layers: [0, 1], dModel: 8) } == .badInput)
        #expect(code { _ = try Activations([.nan], layers: [0], dModel: 1) } == .badInput)
        #expect(code { _ = try Activations([1], layers: [1, 0], dModel: 1) } == .usage)
        let catalog = try Catalog(creating: directory.file("errors.sqlite"))
        #expect(code { _ = try Catalog(creating: directory.file("errors.sqlite")) } == .cannotWrite)
        #expect(code { _ = try catalog.dictionary() } == .refused)
        #expect(code { _ = try catalog.train(configuration(), on: [Activations]()) } == .badInput)
        var wrong = configuration()
        wrong.architecture = "transcoder"
        #expect(code { _ = try catalog.train(wrong, on: [try activations(tokens: 4)]) } == .usage)
        let other = try Activations([1], layers: [0], dModel: 1)
        #expect(code { _ = try catalog.train(configuration(), on: [try activations(tokens: 4), other]) } == .badInput)
        #expect(
            code { _ = try catalog.train(configuration(), on: [try activations(tokens: 4)], cancelled: { true }) }
                == .interrupted)
        let dictionary = try catalog.train(configuration(), on: [try activations(tokens: 4)])
        #expect(code { _ = try dictionary.encode(other) } == .usage)
    }
}
