// The echo service on gRPC for C++, with its callback API: what the fastest stock gRPC server of this machine does.
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <string>

#include "vibe/rpctest/v1/rpctest_service.grpc.pb.h"

namespace rpctest = vibe::rpctest::v1;

class EchoService final : public rpctest::RpcTestService::CallbackService {
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const rpctest::EchoRequest* request,
                                 rpctest::EchoResponse* response) override {
    if (request->has_message()) *response->mutable_message() = request->message();
    response->set_name(request->name());
    *response->mutable_words() = request->words();
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (!server || port == 0) return 1;
  std::cout << "ready" << std::endl;
  server->Wait();
}
