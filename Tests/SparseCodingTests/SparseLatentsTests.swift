import SparseCoding
import Testing

@Suite struct SparseLatentsTests {
    @Test("Every tile of samples has room of its own, which its samples fill one after another")
    func tilesHaveRoomOfTheirOwn() {
        let latents = SparseLatents(capacity: 10, tile: 4, sharing: 6)
        // In any order of the tiles.
        for tile in [8..<10, 0..<4, 4..<8] {
            for sample in tile {
                let count = sample % 3
                #expect(latents.room(for: sample) == 6 - tile.prefix { $0 < sample }.reduce(0) { $0 + $1 % 3 })
                latents.place(sample, count: count)
                for slot in 0..<count {
                    latents.indices(of: sample)[slot] = Int32(100 * sample + slot)
                    latents.activations(of: sample)[slot] = Float(sample)
                }
            }
        }
        for sample in 0..<10 {
            #expect(latents.counts[sample] == Int32(sample % 3))
            for slot in 0..<sample % 3 {
                #expect(latents.indices(of: sample)[slot] == Int32(100 * sample + slot))
                #expect(latents.activations(of: sample)[slot] == Float(sample))
            }
        }
    }

    @Test("Samples that share one room end where the last of them does")
    func oneRoom() {
        let latents = SparseLatents(capacity: 3, sharing: 7)
        for (sample, count) in [2, 0, 4].enumerated() { latents.place(sample, count: count) }
        #expect((0...3).map { latents.offset(of: $0) } == [0, 2, 2, 6])
    }
}
