import FeatureCatalog
import Testing

@Suite struct ZstdTests {
    private let content = (0..<500).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }

    @Test("Compressed bytes decompress to the original", arguments: [0, 1, 13, 500]) func comesBack(count: Int) throws {
        let bytes = Array(content.prefix(count))
        #expect(try Zstd.decompress(Zstd.compress(bytes), limit: count) == bytes)
    }

    @Test func claimsBeyondTheLimitAreRefusedBeforeDecompression() throws {
        let frame = try Zstd.compress(content)
        #expect(throws: Zstd.Failure.self) { try Zstd.decompress(frame, limit: 499) }
        // A hand-made header that claims 2^62 bytes: with the flag for eight bytes of size, and a checksum.
        let bomb: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE4, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0, 0, 0, 0, 0]
        #expect(throws: Zstd.Failure.self) { try Zstd.decompress(bomb, limit: 1 << 30) }
    }

    @Test func everyDamagedByteIsNoticedOrHarmless() throws {
        let frame = try Zstd.compress(content)
        for index in frame.indices {
            for bit in 0..<8 {
                var damaged = frame
                damaged[index] ^= 1 << bit
                if let bytes = try? Zstd.decompress(damaged, limit: 4096) {
                    #expect(bytes == content, "byte \(index), bit \(bit)")
                }
            }
        }
    }

    @Test("Every truncated frame is refused") func everyCutIsNoticed() throws {
        let frame = try Zstd.compress(content)
        for count in frame.indices {
            #expect(throws: Zstd.Failure.self) { try Zstd.decompress(Array(frame.prefix(count)), limit: 4096) }
        }
        #expect(throws: Zstd.Failure.self) { try Zstd.decompress(frame + [0], limit: 4096) }
    }

    @Test func framesWithoutAChecksumAreRefused() throws {
        // One raw block of one byte, "a": made by hand from the format's specification (RFC 8878).
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x01, 0x09, 0x00, 0x00, 0x61]
        do {
            _ = try Zstd.decompress(frame, limit: 10)
            Issue.record("accepted")
        } catch {
            #expect(error.description.contains("checksum"))
        }
    }

    @Test func threadsDoNotDisturbEachOther() async throws {
        let content = content
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for part in 0..<16 {
                group.addTask {
                    let bytes = content.map { $0 &+ UInt8(part) }
                    for _ in 0..<50 where try Zstd.decompress(Zstd.compress(bytes), limit: 500) != bytes {
                        return false
                    }
                    return true
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
