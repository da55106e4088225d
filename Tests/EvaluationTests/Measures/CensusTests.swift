import Evaluation
import LinearAlgebra
import Testing

/// A census of a world with two layers and features of three kinds: such that live in one layer, such that span both,
/// and such that move: they fire on the same tokens, in another direction at the second layer.
@Suite struct CensusTests {
    private static let (width, tokens) = (24, 600)
    /// Features 0…3 live in the first layer, 4…7 in the second, 8…11 span both, 12…15 move.
    private static let features = 16
    private static let first = Array(0..<4) + Array(8..<16)
    private static let second = Array(4..<16)
    private let firings = PlantedLatents(tokens: Self.tokens, latents: Self.features, active: 3, seed: 5)

    /// The direction of a feature at a layer: axes, tilted a little.
    private func direction(_ feature: Int, layer: Int) -> [Float] {
        var direction = Array(repeating: Float(0.02), count: Self.width)
        direction[feature >= 12 && layer == 1 ? feature + 4 : feature] = 1
        return direction
    }

    /// A dictionary with some features, stretched by a factor, and one more that never fires.
    private func side(_ features: [(feature: Int, layer: Int)], factor: Float = 1, shift: Int = 0) -> FoundFeatures.Side
    {
        let decoder = Matrix(rows: features.count + 1, columns: Self.width)
        for (row, (feature, layer)) in features.enumerated() {
            for (column, value) in direction(feature, layer: layer).enumerated() {
                decoder[row, column] = factor * value
            }
        }
        decoder[features.count, Self.width - 1] = 1
        var latents = PlantedLatents(latents: features.count + 1)
        for token in 0..<Self.tokens {
            let row = firings.dense[(token + shift) % Self.tokens]
            latents.append(features.map { row[$0.feature] / factor } + [0])
        }
        return FoundFeatures.Side(
            decoder: decoder, column: 0, rows: latents.rows, moments: FoundFeatures.Moments(latents.rows))
    }

    private func census(of dictionary: FoundFeatures.Side?, own: Int? = nil, threads: Int = 2) -> [MeasuredFigure] {
        let layers = [(4, Self.first), (6, Self.second)].enumerated().map { place, layer in
            var counted = Census.Layer(layer: layer.0)
            counted.append(
                FoundFeatures(
                    of: side(layer.1.map { ($0, place) }), in: dictionary, seed: 1, workers: Workers(threads: threads)))
            return counted
        }
        return Census(layers: layers, own: own, tokens: Self.tokens)
            .figures(resamples: 200, seed: 1, workers: Workers(threads: threads))
    }

    private func value(_ metric: String, _ layer: Int?, in figures: [MeasuredFigure]) throws -> Double {
        try #require(figures.first { $0.metric == metric && $0.layer == layer }?.value)
    }

    @Test("A dictionary of the first layer finds what spans both, and not what moves or lives in the second")
    func oneLayer() throws {
        let figures = census(of: side(Self.first.map { ($0, 0) }, factor: 3), own: 4)
        #expect(try value("census", 4, in: figures) == 1)
        #expect(try value("census", 6, in: figures) == 4.0 / 12)
        // Of a dictionary of one layer only the other layers count.
        #expect(try value("census", nil, in: figures) == 4.0 / 12)
    }

    @Test("A dictionary with the features of both layers finds all") func bothLayers() throws {
        let all = (Self.first.map { ($0, 0) } + Self.second.map { ($0, 1) })
        let figures = census(of: side(all))
        #expect(try value("census", nil, in: figures) == 1)
        #expect(try value("census_baseline", nil, in: figures) < 0.5)
    }

    @Test("The same directions with other activations are near and not found") func otherActivations() throws {
        let figures = census(of: side(Self.first.map { ($0, 0) }, shift: 100))
        #expect(try value("census_cosine", 4, in: figures) == 1)
        #expect(try value("census", 4, in: figures) == 0)
        #expect(try value("census", nil, in: figures) == 0)
    }

    @Test("Features that are not counted are not looked for") func onlySome() throws {
        // Of the second layer, rows 0…3 live there alone and 4…7 span both.
        for (counted, expected) in [([0, 1, 2, 3], 0.0), ([4, 5, 6, 7], 1), ([0, 4], 0.5)] as [(Set<Int>, Double)] {
            let found = FoundFeatures(
                of: side(Self.second.map { ($0, 1) }), counted: counted, in: side(Self.first.map { ($0, 0) }), seed: 1,
                workers: Workers(threads: 2))
            #expect(found.found.count == counted.count && found.nearby.count == counted.count)
            #expect(Double(found.found.count { $0 }) == expected * Double(counted.count))
        }
    }

    @Test("A dictionary without a part for a layer finds nothing") func nothing() throws {
        #expect(try value("census", nil, in: census(of: nil)) == 0)
    }

    @Test("Intervals hold the figure, and threads change no bit") func intervals() throws {
        let dictionary = side(Self.first.map { ($0, 0) })
        let figures = census(of: dictionary, threads: 1)
        #expect(census(of: dictionary, threads: 3) == figures)
        let second = try #require(figures.first { $0.metric == "census" && $0.layer == 6 })
        let (low, high) = (try #require(second.low), try #require(second.high))
        #expect(low < 4.0 / 12 && high > 4.0 / 12)
        // All are found: resamples say nothing else.
        #expect(figures.first { $0.metric == "census" && $0.layer == 4 }?.low == nil)
    }
}
