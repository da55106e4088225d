import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct ZstdDictionaryTests {
    /// Blobs that have much in common.
    private static func samples(_ count: Int, seed: UInt64 = 1) -> [[UInt8]] {
        var generator = SplitMix(state: seed)
        let words = (0..<40).map { _ in (0..<12).map { _ in UInt8(generator.next(below: 256)) } }
        return (0..<count).map { _ in (0..<6).flatMap { _ in words[generator.next(below: 40)] } }
    }

    private func failure(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "nothing thrown"
    }

    @Test func blobsComeBackAndAreSmaller() throws {
        let samples = Self.samples(500)
        let dictionary = try #require(ZstdDictionary.trained(on: samples, capacity: 4096))
        #expect(dictionary.id > 0 && dictionary.content.count <= 4096)
        #expect(dictionary.content.starts(with: [0x37, 0xA4, 0x30, 0xEC]))
        let read = try ZstdDictionary(content: dictionary.content)
        #expect(read.id == dictionary.id)
        for blob in Self.samples(500).prefix(50) + [[], [7]] {
            let frame = try Zstd.compress(blob, dictionary: dictionary)
            #expect(try Zstd.decompress(frame, limit: blob.count, dictionary: read) == blob)
            if blob.count > 10 { #expect(try 2 * frame.count < Zstd.compress(blob).count) }
        }
    }

    @Test func theSameSamplesGiveTheSameBytes() throws {
        let one = try #require(ZstdDictionary.trained(on: Self.samples(500), capacity: 4096))
        let two = try #require(ZstdDictionary.trained(on: Self.samples(500), capacity: 4096))
        let other = try #require(ZstdDictionary.trained(on: Self.samples(500, seed: 2), capacity: 4096))
        #expect(one.content == two.content && one.id == two.id)
        #expect(one.content != other.content && one.id != other.id)
        let blob = Self.samples(1)[0]
        #expect(try Zstd.compress(blob, dictionary: one) == Zstd.compress(blob, dictionary: two))
    }

    @Test func tooLittleGivesNone() {
        for samples in [[], [[]], [[1]], [[1], [2], [3]], Self.samples(1)] {
            #expect(ZstdDictionary.trained(on: samples, capacity: 4096) == nil)
        }
    }

    @Test func theDictionaryIsAskedForByItsNumber() throws {
        let dictionary = try #require(ZstdDictionary.trained(on: Self.samples(500), capacity: 4096))
        let other = try #require(ZstdDictionary.trained(on: Self.samples(500, seed: 2), capacity: 4096))
        let blob = Self.samples(500)[7]
        let frame = try Zstd.compress(blob, dictionary: dictionary)
        for wrong in [nil, other] {
            let message = failure { _ = try Zstd.decompress(frame, limit: 100, dictionary: wrong) }
            #expect(message.contains("needs the dictionary \(dictionary.id)"), "\(message)")
        }
        // One that has the number and nothing else of it.
        var forged = other.content
        forged.replaceSubrange(4..<8, with: dictionary.content[4..<8])
        let pretender = try ZstdDictionary(content: forged)
        #expect(pretender.id == dictionary.id)
        #expect(throws: Zstd.Failure.self) { try Zstd.decompress(frame, limit: 100, dictionary: pretender) }
        // A frame that needs none is read whatever there is.
        #expect(try Zstd.decompress(Zstd.compress(blob), limit: 100, dictionary: dictionary) == blob)
        #expect(throws: Zstd.Failure.self) { try Zstd.decompress(frame, limit: 71, dictionary: dictionary) }
    }

    @Test func otherBytesAreNoDictionary() throws {
        let content = try #require(ZstdDictionary.trained(on: Self.samples(500), capacity: 4096)).content
        var withoutNumber = content
        withoutNumber.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        for bytes in [[], [1, 2, 3], Self.samples(100).flatMap(\.self), withoutNumber] {
            #expect(failure { _ = try ZstdDictionary(content: bytes) }.contains("not a zstd dictionary"))
        }
        #expect(failure { _ = try ZstdDictionary(content: Array(content.prefix(20))) }.contains("cannot be read"))
        // Damaged ones are refused, or a frame's checksum tells.
        let blob = Self.samples(500)[3]
        let frame = try Zstd.compress(blob, dictionary: ZstdDictionary(content: content))
        for index in stride(from: 0, to: content.count, by: 7) {
            var damaged = content
            damaged[index] ^= 0x41
            guard let dictionary = try? ZstdDictionary(content: damaged) else { continue }
            guard let bytes = try? Zstd.decompress(frame, limit: 100, dictionary: dictionary) else { continue }
            #expect(bytes == blob)
        }
    }

    @Test func threadsShareADictionary() async throws {
        let dictionary = try #require(ZstdDictionary.trained(on: Self.samples(500), capacity: 4096))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for part in 0..<8 {
                group.addTask {
                    for blob in Self.samples(100, seed: UInt64(part)) {
                        let frame = try Zstd.compress(blob, dictionary: dictionary)
                        if try Zstd.decompress(frame, limit: 100, dictionary: dictionary) != blob { return false }
                    }
                    return true
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    // MARK: In a catalog

    /// Contexts enough to learn from: all features' windows are dense.
    private func entries(
        _ passageIDs: [Int64], _ sample: SampleCatalog, seed: UInt64, contextCount: Int = 48
    ) -> [FeatureEntry] {
        var generator = SplitMix(state: seed)
        return sample.entries.map { entry in
            FeatureEntry(
                record: entry.record, layers: entry.layers, tokens: entry.tokens,
                contexts: (0..<contextCount).map { number in
                    var activations = (0..<16).map { _ in 1 + generator.unit() }
                    let position = number / passageIDs.count
                    // As strong as the feature gets, where it fires at all.
                    activations[position] = entry.record.maxActivation ?? 0
                    return ContextEntry(
                        band: entry.record.firedCount > 0 ? .top : .quiet, rank: number,
                        passageID: passageIDs[number % passageIDs.count],
                        position: position, layer: 3, routerWeight: nil, activation: activations[position],
                        split: nil, activations: activations)
                })
        }
    }

    private func dictionaries(_ catalog: Catalog) throws -> [[CatalogValue]] {
        try catalog.rows(sql: "SELECT * FROM zstd_dictionary").rows
    }

    @Test func aCatalogTrainsOneAndKeepsIt() throws {
        let directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        // Nine windows a feature are too few to learn from.
        #expect(try dictionaries(sample.catalog).isEmpty)
        let written = entries(sample.passageIDs, sample, seed: 1)
        try sample.writeIndex(written, sample.indexing, replacing: true)
        let trained = try dictionaries(sample.catalog)
        #expect(trained.count == 1 && trained[0][1] == "context_activations.values")
        let digest = try sample.catalog.contentDigest()
        try sample.catalog.close()
        let opened = try Catalog.open(at: sample.catalog.path, mode: .readWrite)
        for feature in [0, 17, 39] {
            #expect(
                try opened.contexts(sample.key, featureIndex: feature).map(\.activations)
                    == written[feature].contexts.map(\.activations))
        }
        #expect(try opened.verify().isEmpty)
        #expect(try opened.contentDigest() == digest)
        // A second index is written with what is there.
        let other = try opened.addCorpus(
            CorpusRecord(languageModelID: sample.languageModelID, name: "other", sha256: SampleCatalog.digest))
        let documents = try opened.addDocuments(corpusID: other, sample.documents)
        let passages = try opened.addPassages(SampleCatalog.passages(of: zip(documents, sample.documents)))
        try opened.writeIndex(sample.indexing(of: other)) { writer in
            for entry in entries(passages, sample, seed: 2) { try writer.write(entry) }
        }
        #expect(try dictionaries(opened) == trained)
        #expect(try opened.verify().isEmpty)
    }

    @Test func oneThatWasTrainedInVainIsForgotten() throws {
        struct Stop: Error {}
        let directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        #expect(throws: Stop.self) {
            try sample.catalog.writeIndex(sample.indexing, replacing: true) { writer in
                // Enough for training before the end.
                for entry in entries(sample.passageIDs, sample, seed: 1, contextCount: 400) { try writer.write(entry) }
                #expect(try dictionaries(sample.catalog).count == 1)
                throw Stop()
            }
        }
        #expect(try dictionaries(sample.catalog).isEmpty)
        let written = entries(sample.passageIDs, sample, seed: 3)
        try sample.writeIndex(written, sample.indexing, replacing: true)
        #expect(try dictionaries(sample.catalog).count == 1)
        try sample.catalog.close()
        let opened = try Catalog.open(at: sample.catalog.path, mode: .readOnly)
        #expect(try opened.verify().isEmpty)
        #expect(
            try opened.contexts(sample.key, featureIndex: 5).map(\.activations)
                == written[5].contexts.map(\.activations))
    }

    @Test(arguments: [
        ("DELETE FROM zstd_dictionary", "needs the dictionary"),
        ("UPDATE zstd_dictionary SET sha256 = printf('%064d', 0)", "SHA-256"),
        ("UPDATE zstd_dictionary SET content = substr(content, 1, 100)", "SHA-256"),
        ("UPDATE zstd_dictionary SET zstd_dictionary_id = 1", "number"),
        ("UPDATE zstd_dictionary SET content = zeroblob(2000000)", "more than any has"),
    ])
    func withoutItActivationsAreDamaged(sql: String, reason: String) throws {
        let directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        try sample.writeIndex(entries(sample.passageIDs, sample, seed: 1), sample.indexing, replacing: true)
        try sample.catalog.close()
        let queue = try DatabaseQueue(path: sample.catalog.path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
        let opened = try Catalog.open(at: sample.catalog.path, mode: .readOnly)
        expectCatalogError(.damaged, containing: reason) { _ = try opened.contexts(sample.key, featureIndex: 5) }
        #expect(try opened.verify().contains { $0.description.contains(reason) })
        expectCatalogError(.damaged, containing: reason) { _ = try opened.contentDigest() }
        // What has nothing to do with it is still read.
        #expect(try opened.features(sample.key) == sample.features)
    }
}
