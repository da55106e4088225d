import ActivationPipeline
import FeatureCatalog
import Indexing
import LanguageModel
import LinearAlgebra
import TestSupport
import Testing

@Suite struct PromotedTokensTests {
    /// Values in ±1, all multiples of 1/`steps` if given, so that sums are exact and ties are many.
    private func random(_ rows: Int, _ columns: Int, seed: UInt64, steps: Float? = nil) -> Matrix {
        var generator = CounterGenerator(seed: seed, stream: "promoted tokens")
        let elements = (0..<rows * columns).map { _ -> Float in
            let value = 2 * generator.uniform() - 1
            return steps.map { (value * $0).rounded() / $0 } ?? value
        }
        return Matrix(rows: rows, columns: columns, elements: elements)
    }

    private func compute(
        _ decoder: Matrix, _ unembedding: Matrix, _ weight: Matrix, tokens: Int? = nil, count: Int = 10,
        columns: Range<Int>? = nil, threads: Int = 2
    ) throws -> [FeatureLogit] {
        var all: [FeatureLogit] = []
        try PromotedTokens(
            unembedding: Unembedding(matrix: unembedding, normWeight: weight), tokenCount: tokens ?? unembedding.rows,
            count: count, workers: Workers(threads: threads)
        ).compute(decoder: decoder, columns: columns) { all += $0 }
        return all
    }

    /// The definition, in double precision, by sorting all tokens.
    private func expected(
        _ decoder: Matrix, _ unembedding: Matrix, _ weight: Matrix, tokens: Int? = nil, count: Int = 10,
        column: Int = 0
    ) -> [FeatureLogit] {
        (0..<decoder.rows).flatMap { feature -> [FeatureLogit] in
            guard (0..<weight.count).contains(where: { decoder[feature, column + $0] != 0 }) else { return [] }
            let direction = (0..<weight.count).map { Double(decoder[feature, column + $0]) * Double(weight[0, $0]) }
            let changes = (0..<(tokens ?? unembedding.rows)).map { token -> Double in
                direction.indices.reduce(0) { $0 + direction[$1] * Double(unembedding[token, $1]) }
            }

            let falling = changes.indices.sorted { (changes[$0], $1) > (changes[$1], $0) }
            let rising = changes.indices.sorted { (changes[$0], $0) < (changes[$1], $1) }
            return [(FeatureLogit.Direction.promoted, falling), (.suppressed, rising)].flatMap { direction, order in
                order.prefix(count).enumerated().map { rank, token in
                    FeatureLogit(
                        featureIndex: feature, direction: direction, rank: rank, tokenID: token,
                        value: Float(changes[token]))
                }
            }
        }
    }

    @Test(arguments: [(features: 1, d: 1, tokens: 1), (5, 3, 63), (300, 8, 200), (2, 3, 4097)])
    func everyTokenIsInAHistogram(features: Int, d: Int, tokens: Int) throws {
        let decoder = random(features, d, seed: 1, steps: 4)
        let unembedding = random(tokens + 3, d, seed: 2, steps: 4)
        let weight = random(1, d, seed: 3, steps: 2)
        // Of all tokens, so that the naive lists have every change.
        let lists = Dictionary(
            grouping: expected(decoder, unembedding, weight, tokens: tokens, count: tokens)
                .filter { $0.direction == .promoted }, by: \.featureIndex)
        for threads in [1, 2] {
            var found: [Int: LinearHistogram] = [:]
            try PromotedTokens(
                unembedding: Unembedding(matrix: unembedding, normWeight: weight), tokenCount: tokens,
                workers: Workers(threads: threads)
            ).compute(
                decoder: decoder,
                histograms: { for (feature, histogram) in $0 { found[feature] = histogram } }, deliver: { _ in })
            #expect(found.keys.sorted() == lists.keys.sorted())
            for (feature, list) in lists {
                let single = LinearHistograms(features: 1)
                for logit in list { single.record(logit.value, feature: 0) }
                #expect(found[feature] == single.histogram(of: 0))
            }
        }
    }

    /// Sums of quarters are exact, so that values and ties are those of the definition.
    @Test(arguments: [
        (features: 1, d: 1, tokens: 1), (3, 2, 7), (5, 3, 63), (2, 4, 64), (2, 4, 65), (7, 5, 1023), (3, 6, 1025),
        (257, 3, 70), (300, 8, 200), (2, 3, 4097), (2, 2, 8500),
    ])
    func exactSumsGiveTheDefinition(features: Int, d: Int, tokens: Int) throws {
        let decoder = random(features, d, seed: 1, steps: 4)
        let unembedding = random(tokens, d, seed: 2, steps: 4)
        let weight = random(1, d, seed: 3, steps: 2)
        for count in [1, 2, 10] {
            #expect(
                try compute(decoder, unembedding, weight, count: count)
                    == expected(decoder, unembedding, weight, count: count))
        }
    }

    @Test func roundedSumsAreClose() throws {
        let decoder = random(40, 96, seed: 4)
        let unembedding = random(5000, 96, seed: 5)
        let weight = random(1, 96, seed: 6)
        let actual = try compute(decoder, unembedding, weight)
        let exact = expected(decoder, unembedding, weight)
        try #require(actual.count == exact.count && actual.count == 40 * 20)
        for (actual, exact) in zip(actual, exact) {
            // Two tokens whose values are equal but for round-off may change places; the values at a rank cannot.
            #expect(actual.featureIndex == exact.featureIndex && actual.direction == exact.direction)
            #expect(actual.rank == exact.rank && abs(actual.value - exact.value) < 1e-5)
        }
        #expect(zip(actual, exact).filter { $0.tokenID != $1.tokenID }.count < 4)
    }

    @Test func bitsDoNotDependOnTheThreads() throws {
        let decoder = random(600, 70, seed: 7)
        let unembedding = random(4500, 70, seed: 8)
        let weight = random(1, 70, seed: 9)
        let one = try compute(decoder, unembedding, weight, threads: 1)
        #expect(one.count == 600 * 20)
        for threads in [2, 3] { #expect(try compute(decoder, unembedding, weight, threads: threads) == one) }
    }

    /// The shipped model, with its unembedding in memory or read from the file in blocks.
    @Test("The unembedding is read in blocks or from memory with equal results")
    func aModelsUnembeddingNeedNotBeInMemory() throws {
        func compute(_ residency: WeightResidency) throws -> [FeatureLogit] {
            let model = try LanguageModel(
                directory: repositoryFile("Demo/model"), workers: Workers(threads: 2), residency: residency)
            var all: [FeatureLogit] = []
            try PromotedTokens(
                unembedding: model.unembedding, tokenCount: model.configuration.vocabularySize - 3, count: 4,
                workers: Workers(threads: 2)
            ).compute(decoder: random(300, model.configuration.dModel, seed: 28)) { all += $0 }
            return all
        }

        let resident = try compute(.resident)
        #expect(resident.count == 300 * 8)
        #expect(try compute(.streamed) == resident)
        // The definition, on rows read one at a time.
        let model = try LanguageModel(directory: repositoryFile("Demo/model"), workers: Workers(threads: 2))
        let decoder = random(300, model.configuration.dModel, seed: 28)
        for logit in resident.prefix(80) {
            let row = try model.unembeddingRow(of: Int32(logit.tokenID))
            let change = row.indices.reduce(0.0) {
                $0 + Double(decoder[logit.featureIndex, $1] * model.unembedding.normWeight[0, $1]) * Double(row[$1])
            }
            #expect(abs(Double(logit.value) - change) < 1e-4 * max(1, abs(change)))
        }
    }

    @Test("Padding rows of the vocabulary are never listed") func rowsThatOnlyPadTheVocabularyAreNeverListed() throws {
        let decoder = random(5, 4, seed: 10, steps: 4)
        let unembedding = random(40, 4, seed: 11, steps: 4)
        let weight = random(1, 4, seed: 12, steps: 2)
        // The padding would win everything.
        for token in 30..<40 { for i in 0..<4 { unembedding[token, i] = decoder[0, i] * 100 } }
        let actual = try compute(decoder, unembedding, weight, tokens: 30)
        #expect(actual == expected(decoder, unembedding, weight, tokens: 30))
        #expect(actual.allSatisfy { $0.tokenID < 30 })
        // A tokenizer may be larger than the model as well.
        #expect(try compute(decoder, unembedding, weight, tokens: 99) == compute(decoder, unembedding, weight))
        #expect(try compute(decoder, unembedding, weight, tokens: 0).isEmpty)
    }

    @Test func fewerTokensThanAskedFor() throws {
        let decoder = random(3, 4, seed: 13, steps: 4)
        let unembedding = random(4, 4, seed: 14, steps: 4)
        let weight = random(1, 4, seed: 15, steps: 2)
        let actual = try compute(decoder, unembedding, weight, count: 10)
        #expect(actual.count == 3 * 8)
        #expect(actual == expected(decoder, unembedding, weight))
    }

    @Test func aRowOfZerosHasNoLists() throws {
        let decoder = random(4, 4, seed: 16, steps: 4)
        for i in 0..<4 { decoder[2, i] = 0 }
        let unembedding = random(20, 4, seed: 17, steps: 4)
        let weight = random(1, 4, seed: 18, steps: 2)
        let actual = try compute(decoder, unembedding, weight)
        #expect(Set(actual.map(\.featureIndex)) == [0, 1, 3])
        #expect(actual == expected(decoder, unembedding, weight))
    }

    @Test("A crosscoder's last layer is used") func aCrosscodersLastLayerIsTaken() throws {
        let decoder = random(6, 12, seed: 19, steps: 4)
        let unembedding = random(50, 4, seed: 20, steps: 4)
        let weight = random(1, 4, seed: 21, steps: 2)
        #expect(try compute(decoder, unembedding, weight) == expected(decoder, unembedding, weight, column: 8))
        #expect(
            try compute(decoder, unembedding, weight, columns: 4..<8)
                == expected(decoder, unembedding, weight, column: 4))
    }

    /// More features than are delivered, and than are held, at once.
    @Test func featuresAreDeliveredInOrderAndInPieces() throws {
        let decoder = random(9000, 2, seed: 22)
        let unembedding = random(12, 2, seed: 23)
        var largest = 0
        var next = 0
        var steps: [[Int]] = []
        try PromotedTokens(
            unembedding: Unembedding(matrix: unembedding, normWeight: random(1, 2, seed: 24)), tokenCount: 12,
            count: 3, workers: Workers(threads: 2)
        ).compute(decoder: decoder, progress: { steps.append([$0, $1]) }) { logits in
            largest = max(largest, logits.count)
            for (place, logit) in logits.enumerated() {
                #expect(logit.featureIndex == next + place / 6 && logit.rank == place % 3)
                #expect(logit.direction == (place % 6 < 3 ? .promoted : .suppressed))
            }
            next += logits.count / 6
        }
        #expect(next == 9000 && largest == 1024 * 6)
        #expect(steps == [[1, 2], [2, 2]])
    }

    @Test func aStoppedComputationThrows() throws {
        let unembedding = Unembedding(matrix: random(9000, 2, seed: 25), normWeight: random(1, 2, seed: 26))
        let promoted = PromotedTokens(unembedding: unembedding, tokenCount: 9000, workers: Workers(threads: 2))
        var asked = 0
        var delivered = 0
        #expect(throws: WorkflowError.self) {
            try promoted.compute(
                decoder: random(5, 2, seed: 27),
                cancelled: {
                    asked += 1
                    return asked == 3
                }
            ) { delivered += $0.count }
        }
        #expect(asked == 3 && delivered == 0)
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            try promoted.compute(decoder: random(5, 2, seed: 27)) { _ in throw Refusal() }
        }
    }
}
