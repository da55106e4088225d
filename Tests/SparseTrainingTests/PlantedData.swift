import LinearAlgebra
import SparseCoding

/// Activations made of a few known directions each, to test whether training finds them.
struct PlantedData {
    let dModel: Int
    let layers: [Int]
    let active: Int
    /// Unit directions without a mean, which standardising would take away.
    let directions: [[Float]]
    private var generator: CounterGenerator

    init(dModel: Int, layers: [Int], directions count: Int, active: Int, seed: UInt64) {
        self.dModel = dModel
        self.layers = layers
        self.active = active
        var generator = CounterGenerator(seed: seed, stream: "planted")
        directions = (0..<count).map { _ in
            // Sums of uniform numbers are near enough to a normal distribution.
            var direction = (0..<dModel).map { _ in
                (0..<6).reduce(Float(0)) { sum, _ in sum + generator.uniform() - 0.5 }
            }

            let mean = direction.reduce(0, +) / Float(dModel)
            direction = direction.map { $0 - mean }
            let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return direction.map { $0 / norm }
        }
        self.generator = generator
    }

    /// Fills a batch: every token has at every layer a few directions of its own, with weights of 1 … 2.
    mutating func fill(_ batch: ActivationBatch) {
        for token in 0..<batch.capacity {
            for layer in layers.indices {
                let place = batch.values.row(token) + layer * dModel
                for column in 0..<dModel { place[column] = 0.02 * (generator.uniform() - 0.5) }
                var chosen = Set<Int>()
                while chosen.count < active { chosen.insert(generator.index(below: directions.count)) }
                for index in chosen.sorted() {
                    let weight = 1 + generator.uniform()
                    for column in 0..<dModel { place[column] += weight * directions[index][column] }
                }
            }
        }
        batch.count = batch.capacity
    }

    /// How many directions have a decoder direction with a cosine above the bound.
    func recovered(by weights: DictionaryWeights, above bound: Float) -> Int {
        directions.filter { direction in
            (0..<weights.decoder.rows).contains { latent in
                let row = weights.decoder.row(latent)
                let dot = (0..<dModel).reduce(Float(0)) { $0 + row[$1] * direction[$1] }
                let norm = (0..<dModel).reduce(Float(0)) { $0 + row[$1] * row[$1] }.squareRoot()
                return dot > bound * norm
            }
        }.count
    }
}
