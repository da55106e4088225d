import ActivationPipeline
import Evaluation
import Foundation
import LinearAlgebra
import Testing

@Suite struct LogisticProbeTests {
    private let features = 3
    private let examples: [Double]
    private let labels: [Bool]

    init() {
        var generator = CounterGenerator(seed: 6, stream: "examples")
        examples = (0..<200 * 3).map { _ in Double(generator.uniform()) * 2 - 1 }
        var labels: [Bool] = []
        for row in 0..<200 {
            labels.append(examples[row * 3] - 0.5 * examples[row * 3 + 1] + Double(generator.uniform()) > 0.7)
        }
        self.labels = labels
    }

    /// The loss that the probe minimises.
    private func loss(_ weights: [Double], _ intercept: Double) -> Double {
        labels.enumerated().reduce(0) { sum, example in
            let score = (0..<3).reduce(intercept) { $0 + weights[$1] * examples[example.offset * 3 + $1] }
            return sum + log(1 + exp(example.element ? -score : score))
        } + weights.reduce(0) { $0 + $1 * $1 / 2 }
    }

    @Test("The loss is lowest at the probe") func isAMinimum() {
        let probe = LogisticProbe(examples, features: 3, labels: labels)
        let least = loss(probe.weights, probe.intercept)
        for place in 0..<4 {
            for step in [-1e-3, 1e-3] {
                var (weights, intercept) = (probe.weights, probe.intercept)
                if place < 3 { weights[place] += step } else { intercept += step }
                #expect(loss(weights, intercept) > least)
            }
        }
        #expect(probe.weights[0] > 1 && probe.weights[1] < 0)
    }

    @Test("No other bound has a higher F1") func theBoundIsTheBest() {
        let probe = LogisticProbe(examples, features: 3, labels: labels)
        let scores = labels.indices.map { row in
            (0..<3).reduce(probe.intercept) { $0 + probe.weights[$1] * examples[row * 3 + $1] }
        }
        func f1(_ bound: Double) -> Double {
            let hits = Double(zip(scores, labels).count { $0 >= bound && $1 })
            let said = Double(scores.count { $0 >= bound })
            return 2 * hits / (said + Double(labels.count { $0 }))
        }
        for bound in scores + [-.infinity, .infinity] { #expect(f1(bound) <= f1(probe.bound) + 1e-12) }
        #expect(f1(probe.bound) > 0.7)
    }
}

/// Probes in a text of which the truth is known: one latent fires on each source, one at the end of documents.
@Suite struct ProbingTests {
    private static let (documents, length) = (40, 192)
    private let text: MeasuredText
    private let latents: PlantedLatents

    init() {
        var text = MeasuredText()
        var latents = PlantedLatents(latents: 10)
        var generator = CounterGenerator(seed: 7, stream: "probed")
        for number in 0..<Self.documents {
            if number == Self.documents / 2 { text.endFitting() }
            let tokens = (0..<Self.length).map { _ in Int32(generator.index(below: 50)) }
            text.append(
                [TokenSegment(document: number, index: 0, start: 0, tokens: tokens, prefix: 0)],
                source: { "source \($0 % 3)" })
            for place in 0..<Self.length {
                var row = Array(repeating: Float(0), count: 10)
                if generator.uniform() < 0.3 { row[number % 3] = 1 }
                if place >= 2 * Self.length / 3 { row[5] = 1 + generator.uniform() }
                // Says nothing.
                if generator.uniform() < 0.5 { row[8] = 2 }
                latents.append(row)
            }
        }
        self.text = text
        self.latents = latents
    }

    private func figures(_ label: TextLabel, _ rows: LatentRows? = nil, threads: Int = 2) throws -> [MeasuredFigure] {
        try Probing(
            ProbeExamples(stretchesOf: text, rows ?? latents.rows, label: label), tokens: 100,
            workers: Workers(threads: threads)
        ).figures(resamples: 100, seed: 1)
    }

    private func value(_ metric: String, in figures: [MeasuredFigure]) throws -> Double {
        try #require(figures.first { $0.metric == metric }?.value)
    }

    @Test("A latent that is the label has an F1 of 1") func findsTheLabel() throws {
        let sources = try figures(.source)
        for size in Probing.sizes { #expect(try value("probe_source_k\(size)", in: sources) == 1) }
        // A third of the stretches: 2 · ⅓ / (1 + ⅓).
        #expect(abs(try value("probe_source_baseline", in: sources) - 0.5) < 0.03)
    }

    @Test("More latents than one tell what no single one does") func partsOfDocuments() throws {
        let parts = try figures(.part)
        // One latent tells the last third from the others, and says nothing of the first two.
        let (one, baseline) = (try value("probe_part_k1", in: parts), try value("probe_part_baseline", in: parts))
        #expect(one > baseline && one < 0.95)
    }

    @Test("Latents without any relation score about the baseline") func nothingToFind() throws {
        var noise = PlantedLatents(latents: 10)
        var generator = CounterGenerator(seed: 8, stream: "noise")
        for _ in 0..<Self.documents * Self.length { noise.append((0..<10).map { _ in generator.uniform() }) }
        let found = try figures(.source, noise.rows)
        let (one, baseline) = (try value("probe_source_k1", in: found), try value("probe_source_baseline", in: found))
        #expect(abs(one - baseline) < 0.12)
    }

    @Test("Threads change no bit") func threadsChangeNoBit() throws {
        #expect(try figures(.source, threads: 1) == figures(.source, threads: 3))
    }

    @Test("A label with one class is refused") func oneClass() {
        var single = MeasuredText()
        for number in 0..<10 {
            if number == 5 { single.endFitting() }
            single.append(
                [
                    TokenSegment(
                        document: number, index: 0, start: 0, tokens: Array(repeating: 1, count: 100), prefix: 0)
                ],
                source: { _ in "one" })
        }
        let rows = LatentRows(latents: 3)
        for _ in 0..<1000 { rows.append([(1, 1)]) }
        #expect(throws: WorkflowError.self) {
            try Probing(
                ProbeExamples(stretchesOf: single, rows, label: .source), tokens: 1, workers: Workers(threads: 1))
        }
    }
}
