import LinearAlgebra

/// Seeded test values in ±1; their values do not matter, only that every run has the same.
struct RandomValues {
    private var generator: CounterGenerator

    init(_ seed: Int) {
        generator = CounterGenerator(seed: UInt64(seed), stream: "tests")
    }

    mutating func next() -> Float { 2 * generator.uniform() - 1 }

    mutating func array(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }

    mutating func index(below bound: Int) -> Int { generator.index(below: bound) }
}
