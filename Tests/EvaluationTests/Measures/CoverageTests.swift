import Evaluation
import LinearAlgebra
import Testing

/// Coverage of a world of three layers: the first two are linear in the latents, the third is drawn independently.
@Suite struct CoverageTests {
    private static let (tokens, latents, width, layers) = (1200, 30, 6, [4, 7, 9])
    private let planted = PlantedLatents(tokens: Self.tokens, latents: Self.latents, active: 3, seed: 3)
    private let activations: Matrix

    init() {
        var generator = CounterGenerator(seed: 4, stream: "a world")
        func noise() -> Float { 2 * generator.uniform() - 1 }
        let directions = (0..<2 * Self.latents * Self.width).map { _ in noise() }
        activations = Matrix(rows: Self.tokens, columns: 3 * Self.width)
        for token in 0..<Self.tokens {
            for layer in 0..<2 {
                for column in 0..<Self.width {
                    var sum: Float = 0.3
                    for latent in 0..<Self.latents {
                        let direction = directions[(layer * Self.latents + latent) * Self.width + column]
                        sum += planted.dense[token][latent] * direction
                    }
                    activations[token, layer * Self.width + column] = sum
                }
            }
            for column in 2 * Self.width..<3 * Self.width { activations[token, column] = noise() }
        }
    }

    /// Fits on the first half and measures the second.
    ///
    /// - Parameter shift: how many tokens further the latents are taken from.
    private func figures(shift: Int = 0, threads: Int = 2) -> [MeasuredFigure] {
        let half = Self.tokens / 2
        var latents = PlantedLatents(latents: Self.latents)
        for token in 0..<Self.tokens { latents.append(planted.dense[(token + shift) % Self.tokens]) }
        let workers = Workers(threads: threads)
        var coverage = Coverage(latents: Self.latents, layers: 3, width: Self.width, workers: workers)
        func part(_ range: Range<Int>) -> Matrix {
            let part = Matrix(rows: range.count, columns: 3 * Self.width)
            part.pointer.update(from: activations.row(range.lowerBound), count: part.count)
            return part
        }
        coverage.fit(0..<half, of: latents.rows, activations: part(0..<half))
        coverage.solve(0..<half, of: latents.rows)
        // Distances from the mean of the first half; a baseline that predicts the mean and nothing else.
        var mean = Array(repeating: 0.0, count: 3 * Self.width)
        for token in 0..<half {
            for column in mean.indices { mean[column] += Double(activations[token, column]) / Double(half) }
        }
        let baseline = Matrix(rows: Self.tokens - half, columns: 6)
        for token in half..<Self.tokens {
            for column in mean.indices {
                let distance = Float(
                    (Double(activations[token, column]) - mean[column])
                        * (Double(activations[token, column]) - mean[column]))
                baseline[token - half, column / Self.width] += distance
                baseline[token - half, 3 + column / Self.width] += distance
            }
        }
        coverage.measure(
            half..<Self.tokens, of: latents.rows, documents: (0..<Self.tokens - half).map { $0 / 50 }[...],
            activations: part(half..<Self.tokens), baseline: baseline, workers: workers)
        return coverage.figures(layers: Self.layers, resamples: 200, seed: 1)
    }

    private func value(_ metric: String, _ layer: Int?, in figures: [MeasuredFigure]) throws -> Double {
        try #require(figures.first { $0.metric == metric && $0.layer == layer }?.value)
    }

    @Test("Layers that are linear in the latents are covered, and others are not") func findsWhatIsLinear() throws {
        let figures = figures()
        // The penalty keeps a little back: 10 firings of 60.
        #expect(try value("coverage", 4, in: figures) > 0.9)
        #expect(try value("coverage", 7, in: figures) > 0.9)
        #expect(abs(try value("coverage", 9, in: figures)) < 0.08)
        #expect(try value("coverage_min", nil, in: figures) == value("coverage", 9, in: figures))
        let mean = try Self.layers.reduce(0) { $0 + (try value("coverage", $1, in: figures)) } / 3
        #expect(abs(try value("coverage", nil, in: figures) - mean) < 1e-12)
        #expect(try value("coverage_baseline", nil, in: figures) == 0)
        for figure in figures where figure.metric == "coverage" {
            let (low, high) = (try #require(figure.low), try #require(figure.high))
            #expect(low < high && low <= figure.value ?? 2 && high >= figure.value ?? -1)
            #expect(figure.tokens == Self.tokens / 2)
        }
    }

    @Test("Latents of other tokens cover nothing") func shuffledTokensCoverNothing() throws {
        #expect(try value("coverage", nil, in: figures(shift: 37)) < 0.02)
    }

    @Test("The number of threads changes no bit") func threadsChangeNoBit() {
        #expect(figures(threads: 1) == figures(threads: 3))
    }
}
