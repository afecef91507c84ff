// swift-tools-version:5.9
import PackageDescription

let package = Package(
  name: "Vibe",
  platforms: [.iOS(.v15), .macOS(.v12)],
  products: [.library(name: "Vibe", targets: ["Vibe"])],
  dependencies: [
    .package(url: "https://github.com/connectrpc/connect-swift.git", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.28.0"),
  ],
  targets: [
    .target(
      name: "Vibe",
      dependencies: [
        .product(name: "Connect", package: "connect-swift"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
  ]
)
