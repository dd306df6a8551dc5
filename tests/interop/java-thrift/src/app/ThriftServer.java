package app;

import demo.Catalog;
import demo.Types;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.server.TThreadedSelectorServer;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TServerSocket;

/**
 * Provides demo.Catalog and demo.Types with Apache's library on four ports, until its input ends: binary and compact, each
 * buffered by a TThreadPoolServer and framed by a TThreadedSelectorServer.
 */
public final class ThriftServer {
    public static void main(String[] arguments) throws Exception {
        Catalog.Processor<ThriftCatalog> catalog = new Catalog.Processor<>(new ThriftCatalog());
        TMultiplexedProcessor processor = new TMultiplexedProcessor();
        processor.registerProcessor("demo.Catalog", catalog);
        processor.registerProcessor("demo.Types", new Types.Processor<>(ThriftTypes.make()));
        processor.registerDefault(catalog);
        StringBuilder ready = new StringBuilder("READY");
        for (TProtocolFactory protocol :
                new TProtocolFactory[] {new TBinaryProtocol.Factory(), new TCompactProtocol.Factory()}) {
            ready.append(' ').append(serveBuffered(processor, protocol));
            ready.append(' ').append(serveFramed(processor, protocol));
        }
        System.out.println(ready);
        System.in.transferTo(java.io.OutputStream.nullOutputStream());
        System.exit(0);
    }

    private static int serveBuffered(TProcessor processor, TProtocolFactory protocol) throws IOException, TException {
        ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        run(new TThreadPoolServer(new TThreadPoolServer.Args(new TServerSocket(listening))
                .processor(processor)
                .protocolFactory(protocol)));
        return listening.getLocalPort();
    }

    private static int serveFramed(TProcessor processor, TProtocolFactory protocol) throws TException {
        TNonblockingServerSocket listening =
                new TNonblockingServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        run(new TThreadedSelectorServer(
                new TThreadedSelectorServer.Args(listening).processor(processor).protocolFactory(protocol)));
        return listening.getPort();
    }

    private static void run(TServer server) {
        Thread thread = new Thread(server::serve);
        thread.setDaemon(true);
        thread.start();
    }
}
